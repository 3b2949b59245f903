"""The event loop's thread, which reads messages: tasks that belong to it, and calls to it from others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class EventLoop:
    """asyncio's loop, with tasks that are kept until they are done and logged when they fail."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.asyncio = loop
        self._tasks: set[asyncio.Task[Any]] = set()

    def call_soon_threadsafe(self, function: Callable[..., None], *arguments: Any) -> None:
        """Any thread: call something on the loop's thread, unless the loop has ended."""
        try:
            self.asyncio.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            logger.debug("The loop has ended.")

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in the background; asyncio itself does not hold on to tasks."""
        task = self.asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task failed", exc_info=error)
