"""One thread that runs tasks in order, where only the latest of each key waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Key = tuple[str, str]
Task = Callable[[], None]


class LatestTaskWorker:
    """A task takes the place of the one that still waits under its key. Any thread."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._lock = threading.Lock()
        self._stopped = False
        self._waiting: dict[Key, list[Task]] = {}  # a turn in the queue: its one task, or none

    def submit(self, key: Key, task: Task) -> None:
        with self._lock:
            if self._stopped:
                return
            if (turn := self._waiting.get(key)) is not None:
                turn[:] = [task]
                return
            turn = self._waiting[key] = [task]
            self._executor.submit(self._run, key, turn)

    def submit_final(self, key: Key, task: Task) -> None:
        """In place of what waits run this, in a turn that no later task takes."""
        with self._lock:
            self._waiting.pop(key, []).clear()
            if not self._stopped:
                self._executor.submit(task)

    def _run(self, key: Key, turn: list[Task]) -> None:
        with self._lock:
            if self._waiting.get(key) is turn:
                del self._waiting[key]
        for task in turn:
            task()

    async def idle(self) -> None:
        """Wait until everything submitted so far has run."""
        await asyncio.wrap_future(self._executor.submit(lambda: None))

    def stop(self) -> None:
        """Drop what waits; what is submitted later is ignored."""
        with self._lock:
            self._stopped = True
        self._executor.shutdown(wait=False, cancel_futures=True)
