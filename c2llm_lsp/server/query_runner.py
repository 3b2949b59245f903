"""Runs queries on a few threads beside the one that reads messages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from c2llm_lsp.server.folders import Folder
from retrieval.errors import StoreError

if TYPE_CHECKING:
    from retrieval.engine import Workspace

THREADS = 4  # queries at the same time; more wait
T = TypeVar("T")


class QueryRunner:
    """Awaited on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._executor = ThreadPoolExecutor(THREADS, "c2llm-query")

    async def run(self, function: Callable[[], T]) -> T:
        """The result of a function that may block."""
        return await self._loop.run_in_executor(self._executor, function)

    async def query(
        self, folders: Iterable[Folder], query: Callable[[Folder, Workspace, threading.Event], T]
    ) -> list[T]:
        """The answers of the folders that are open. Cancelling the caller sets the event that its query is given."""
        cancel = threading.Event()
        tasks = [self._loop.run_in_executor(self._executor, _query_folder, folder, query, cancel) for folder in folders]
        try:
            answers = await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            cancel.set()
            raise
        return [answer for found in answers for answer in found]


def _query_folder(
    folder: Folder, query: Callable[[Folder, Workspace, threading.Event], T], cancel: threading.Event
) -> list[T]:
    """The answer of one folder, from its successor where it is closed meanwhile to be opened again; none if not open."""
    workspace = folder.wait_open()
    if workspace is None:
        return []
    try:
        return [query(folder, workspace, cancel)]
    except StoreError:
        if not folder.closing:
            raise
    successor = folder.wait_open()
    if successor is None or successor is workspace:
        return []
    return [query(folder, successor, cancel)]
