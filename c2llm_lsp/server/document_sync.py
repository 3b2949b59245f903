"""From keystrokes to the index: each buffer is shown to its folders after a moment of quiet, one at a time.

Timers and books belong to the thread that reads messages; cutting and embedding to one thread beside it, so that a
buffer's texts arrive in order and a burst of keystrokes costs one embedding. Of a buffer at most one text waits there,
the latest: what an encoder that hangs has missed is not made up for. Half of the quiet is used to cut the text ahead,
which takes longer than all that is left to do then.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from c2llm_lsp.server.document import Document
from c2llm_lsp.server.folder import Folder

AHEAD = 0.5  # of the debounce, after which a text is cut
WORTHWHILE = 0.02  # seconds ahead: less gains nothing
LONGEST = 10  # times the debounce: who never stops typing still finds what was typed before

Placed = Sequence[tuple[Folder, str]]  # the folders that a document belongs to, and its path in each
logger = logging.getLogger(__name__)


class Latest:
    """A thread that does one thing after another; what is asked for under a key takes the place of what still waits."""

    def __init__(self, name: str) -> None:
        self._worker = ThreadPoolExecutor(1, name)
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], list[Callable[[], None]]] = {}  # the one thing to do for a turn, or none

    def do(self, key: tuple[str, str], act: Callable[[], None]) -> None:
        with self._lock:
            if (turn := self._waiting.get(key)) is not None:
                turn[:] = [act]
                return
            turn = self._waiting[key] = [act]
            self._worker.submit(self._run, key, turn)

    def end(self, key: tuple[str, str], act: Callable[[], None]) -> None:
        """In place of what waits do this, in a turn that nothing asked for later takes."""
        with self._lock:
            self._waiting.pop(key, []).clear()
            self._worker.submit(act)

    def _run(self, key: tuple[str, str], turn: list[Callable[[], None]]) -> None:
        with self._lock:
            if self._waiting.get(key) is turn:
                del self._waiting[key]
        for act in turn:
            act()

    async def idle(self) -> None:
        """Wait until all that was asked for so far is done."""
        await asyncio.wrap_future(self._worker.submit(lambda: None))

    def stop(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)


class Edits:
    """The open documents that differ from what the index shows."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, place: Callable[[Document], Placed], on_shown: Callable[[str], None]
    ) -> None:
        self._loop = loop
        self._place = place
        self._on_shown = on_shown  # told the URI of a document that the index has as it is now
        self._worker = Latest("c2llm-edit")
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._early: dict[str, asyncio.TimerHandle] = {}
        self._heavy: set[str] = set()  # documents that take longer to cut than the debounce: only when they are shown
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
        self._disarm(uri)
        wait = 0.0 if at_once else max(0.0, min(self.delay, left))
        self._timers[uri] = self._loop.call_later(wait, self._show, uri)
        if wait * AHEAD > WORTHWHILE and uri not in self._heavy:
            self._early[uri] = self._loop.call_later(wait * AHEAD, self._prepare, uri)

    def closed(self, document: Document) -> None:
        """A document was closed; what was not saved of it is forgotten."""
        self._drop(document.uri)
        self._heavy.discard(document.uri)
        places = self._place(document)

        def run() -> None:
            for folder, path in places:
                with _whatever_happens(path):
                    folder.hide(path)

        self._worker.end(("text", document.uri), run)

    def flush(self) -> None:
        """Show everything now."""
        for uri in tuple(self._timers):
            self._disarm(uri)
            self._show(uri)

    async def settled(self) -> None:
        """Wait until all that was sent so far is shown."""
        self.flush()
        await self._worker.idle()

    def pending_in(self, folder: Folder) -> int:
        return sum(any(f is folder for f, _ in self._place(document)) for document in self._pending.values())

    def stop(self) -> None:
        for timer in (*self._timers.values(), *self._early.values()):
            timer.cancel()
        self._worker.stop()

    def _prepare(self, uri: str) -> None:
        self._early.pop(uri, None)
        if (document := self._pending.get(uri)) is not None:
            lines, places, longest = document.lines, self._place(document), self.delay
            self._worker.do(("ahead", uri), lambda: self._cut_ahead(uri, lines, places, longest))

    def _cut_ahead(self, uri: str, lines: Sequence[str], places: Placed, longest: float) -> None:
        begun = time.monotonic()
        try:
            for folder, path in places:
                folder.prepare(path, "".join(lines))
        except Exception:  # it is cut when it is shown, and what is wrong is said then
            logger.debug("%s cannot be cut ahead", uri, exc_info=True)
        if time.monotonic() - begun > longest:
            self._heavy.add(uri)

    def _show(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._since.pop(uri, None)
        if (document := self._pending.get(uri)) is not None:
            places = self._place(document)
            if all(folder.ready.is_set() for folder, _ in places):  # else it is shown when they are open
                self._submit(places, document, document.lines, self._turns[uri])

    def _submit(self, places: Placed, document: Document, lines: Sequence[str], turn: int) -> None:
        uri = document.uri

        def run() -> None:
            for folder, path in places:
                with _whatever_happens(path):
                    folder.show(path, uri, "".join(lines))
            self._loop.call_soon_threadsafe(self._shown, uri, turn)

        self._worker.do(("text", uri), run)

    def _shown(self, uri: str, turn: int) -> None:
        if self._turns.get(uri) == turn:
            self._drop(uri)
            self._on_shown(uri)

    def _drop(self, uri: str) -> None:
        self._pending.pop(uri, None)
        self._turns.pop(uri, None)
        self._since.pop(uri, None)
        self._disarm(uri)

    def _disarm(self, uri: str) -> None:
        for timers in (self._timers, self._early):
            if timer := timers.pop(uri, None):
                timer.cancel()


@contextmanager
def _whatever_happens(path: str) -> Iterator[None]:
    """An edit that fails must not keep the next ones out."""
    try:
        yield
    except Exception:
        logger.exception("%s cannot be shown", path)
