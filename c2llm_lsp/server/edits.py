"""From keystrokes to the index: each buffer is shown to its folders after a moment of quiet, one at a time.

Timers and books belong to the thread that reads messages; cutting and embedding to one thread beside it, so that a
buffer's texts arrive in order and a burst of keystrokes costs one embedding.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from c2llm_lsp.server.document import Document
from c2llm_lsp.server.folder import Folder

LONGEST = 10  # times the debounce: who never stops typing still finds what was typed before

Placed = Sequence[tuple[Folder, str]]  # the folders that a document belongs to, and its path in each
logger = logging.getLogger(__name__)


class Edits:
    """The open documents that differ from what the index shows."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, place: Callable[[Document], Placed], on_shown: Callable[[str], None]
    ) -> None:
        self._loop = loop
        self._place = place
        self._on_shown = on_shown  # told the URI of a document that the index has as it is now
        self._worker = ThreadPoolExecutor(1, "c2llm-edit")
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._since: dict[str, float] = {}
        self._pending: dict[str, Document] = {}  # shown at the next quiet moment, or being shown
        self._turns: dict[str, int] = {}
        self._turn = 0  # never given twice: a document may be closed and opened again while it is being shown
        self.delay = 0.15

    def wait_for(self, delay: float) -> None:
        """Wait for so many seconds of quiet from now on; what waits by another measure is shown now."""
        if delay != self.delay:
            self.delay = delay
            self.flush()

    def changed(self, document: Document, *, at_once: bool = False) -> None:
        """A document has another text than before."""
        uri = document.uri
        self._pending[uri] = document
        self._turn += 1
        self._turns[uri] = self._turn
        now = time.monotonic()
        left = self._since.setdefault(uri, now) + LONGEST * self.delay - now
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        wait = 0.0 if at_once else max(0.0, min(self.delay, left))
        self._timers[uri] = self._loop.call_later(wait, self._show, uri)

    def closed(self, document: Document) -> None:
        """A document was closed; what was not saved of it is forgotten."""
        self._drop(document.uri)
        self._submit([(folder, path, None) for folder, path in self._place(document)], document, None)

    def flush(self) -> None:
        """Show everything now."""
        for uri in tuple(self._timers):
            self._timers.pop(uri).cancel()
            self._show(uri)

    async def settled(self) -> None:
        """Wait until all that was sent so far is shown."""
        self.flush()
        await asyncio.wrap_future(self._worker.submit(lambda: None))

    def pending_in(self, folder: Folder) -> int:
        return sum(any(f is folder for f, _ in self._place(document)) for document in self._pending.values())

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _show(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._since.pop(uri, None)
        if (document := self._pending.get(uri)) is not None:
            text, places = document.lines, self._place(document)
            if all(folder.ready.is_set() for folder, _ in places):  # else it is shown when they are open
                self._submit([(folder, path, text) for folder, path in places], document, self._turns[uri])

    def _submit(
        self, work: list[tuple[Folder, str, Sequence[str] | None]], document: Document, turn: int | None
    ) -> None:
        def run() -> None:
            for folder, path, lines in work:
                try:
                    folder.hide(path) if lines is None else folder.show(path, document.uri, "".join(lines))
                except Exception:  # an edit that fails must not keep the next ones out
                    logger.exception("%s cannot be shown", path)
            if turn is not None:
                self._loop.call_soon_threadsafe(self._shown, document.uri, turn)

        self._worker.submit(run)

    def _shown(self, uri: str, turn: int) -> None:
        if self._turns.get(uri) == turn:
            self._drop(uri)
            self._on_shown(uri)

    def _drop(self, uri: str) -> None:
        self._pending.pop(uri, None)
        self._turns.pop(uri, None)
        self._since.pop(uri, None)
        if timer := self._timers.pop(uri, None):
            timer.cancel()
