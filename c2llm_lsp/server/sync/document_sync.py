"""The open documents, from `didOpen` to `didClose`: each is shown to its folders' indexes after a moment of quiet.

Documents and timers belong to the thread that reads messages; chunking and embedding to one worker thread beside it, so
that a buffer's texts arrive in order and a burst of keystrokes costs one embedding. Of a buffer at most one text waits
there, the latest: what was typed while an encoder hung is not embedded step by step. Half of the debounce is used to
chunk the text ahead, which takes longer than all that is left to do then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from lsprotocol.types import TextDocumentContentChangeEvent

from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.state import State
from c2llm_lsp.server.sync.buffers import Buffers
from c2llm_lsp.server.sync.debounce import Debounce
from c2llm_lsp.server.sync.latest_task import LatestTaskWorker
from c2llm_lsp.server.text.document import Document

DEBOUNCE_SECONDS = 0.15

Locations = Sequence[tuple[Folder, str]]  # the folders that a document belongs to, and its path in each
logger = logging.getLogger(__name__)


class DocumentListener(Protocol):
    """Who follows the documents, on the thread that reads messages."""

    def document_changed(self, uri: str) -> None: ...

    def document_indexed(self, uri: str) -> None:
        """The index has the document as it is now."""

    def document_closed(self, uri: str) -> None: ...


class DocumentSync:
    """Owns the open documents; the worker thread owns the buffers made of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, state: State, listener: DocumentListener) -> None:
        self._loop = loop
        self._state = state
        self._listener = listener
        self._worker = LatestTaskWorker("c2llm-edit")
        self._buffers = Buffers()  # the worker's
        self._debounce = Debounce(loop, self._show, self._prefetch, DEBOUNCE_SECONDS)
        self._slow: set[str] = set()  # documents that take longer to chunk than the debounce: not chunked ahead
        self._pending: dict[str, Document] = {}  # shown at the next quiet moment, or being shown
        self._revisions: dict[str, int] = {}
        self._revision = 0  # never given twice: a document may be closed and opened again while it is being shown

    # -- what the editor says ---------------------------------------------------------------------------------------

    def opened(self, document: Document) -> None:
        self._state.documents[document.uri] = document
        self.schedule(document, at_once=True)

    def changed(self, uri: str, version: int, changes: Iterable[TextDocumentContentChangeEvent]) -> None:
        document = self._state.documents.get(uri)
        if document is None:
            logger.warning("didChange of a document that is not open: %s", uri)
            return
        document.apply(version, changes)
        self._listener.document_changed(uri)
        self.schedule(document)

    def saved(self, uri: str) -> None:
        if (document := self._state.documents.get(uri)) is not None:
            self.schedule(document, at_once=True)

    def closed(self, uri: str) -> None:
        """What was not saved of a document is forgotten."""
        document = self._state.documents.pop(uri, None)
        if document is None:
            return
        self._settle(uri)
        self._slow.discard(uri)
        locations = self._state.locations(document)
        self._worker.submit_final(("text", uri), lambda: self._close_buffers(locations))
        self._listener.document_closed(uri)

    # -- when it is shown -------------------------------------------------------------------------------------------

    def schedule(self, document: Document, *, at_once: bool = False) -> None:
        """Show a document, where it belongs to a folder, after the debounce."""
        if not self._state.locations(document):
            return
        uri = document.uri
        self._pending[uri] = document
        self._revision += 1
        self._revisions[uri] = self._revision
        self._debounce.changed(uri, at_once=at_once, ahead=uri not in self._slow)

    def index_updated(self, folder: Folder) -> None:
        self._worker.submit(("index", folder.uri), lambda: self._buffers.index_updated(folder))

    def folder_closed(self, folder: Folder) -> None:
        self._worker.submit_final(("index", folder.uri), lambda: self._buffers.drop_folder(folder))

    def set_delay(self, seconds: float) -> None:
        """Wait for so many seconds of quiet from now on; what waits is shown now."""
        if seconds != self._debounce.delay:
            self._debounce.delay = seconds
            self._debounce.flush()

    async def settled(self) -> None:
        """Wait until everything sent so far is shown."""
        self._debounce.flush()
        await self._worker.idle()

    def pending_in(self, folder: Folder) -> int:
        """How many documents of a folder differ from what its index shows."""
        return sum(any(f is folder for f, _ in self._state.locations(one)) for one in self._pending.values())

    def stop(self) -> None:
        self._debounce.stop()
        self._worker.stop()

    def _show(self, uri: str) -> None:
        if (document := self._pending.get(uri)) is None:
            return
        locations = self._state.locations(document)
        if all(folder.ready.is_set() for folder, _ in locations):  # else it is shown when they are open
            lines, revision = document.lines, self._revisions[uri]
            self._worker.submit(("text", uri), lambda: self._set_buffers(locations, uri, lines, revision))

    def _prefetch(self, uri: str) -> None:
        if (document := self._pending.get(uri)) is not None:
            lines, locations, delay = document.lines, self._state.locations(document), self._debounce.delay
            self._worker.submit(("ahead", uri), lambda: self._chunk_ahead(uri, lines, locations, delay))

    def _shown(self, uri: str, revision: int) -> None:
        if self._revisions.get(uri) == revision:
            self._settle(uri)
            self._listener.document_indexed(uri)

    def _settle(self, uri: str) -> None:
        self._pending.pop(uri, None)
        self._revisions.pop(uri, None)
        self._debounce.cancel(uri)

    # -- on the worker ----------------------------------------------------------------------------------------------

    def _set_buffers(self, locations: Locations, uri: str, lines: Sequence[str], revision: int) -> None:
        for folder, path in locations:
            with _logged(path):
                self._buffers.set(folder, path, uri, "".join(lines))
        self._loop.call_soon_threadsafe(self._shown, uri, revision)

    def _close_buffers(self, locations: Locations) -> None:
        for folder, path in locations:
            with _logged(path):
                self._buffers.close(folder, path)

    def _chunk_ahead(self, uri: str, lines: Sequence[str], locations: Locations, delay: float) -> None:
        started = time.monotonic()
        try:
            for folder, path in locations:
                folder.prefetch_buffer(path, "".join(lines))
        except Exception:  # it is chunked when it is shown, and what is wrong is logged then
            logger.debug("%s cannot be chunked ahead", uri, exc_info=True)
        if time.monotonic() - started > delay:
            self._slow.add(uri)


@contextmanager
def _logged(path: str) -> Iterator[None]:
    """An edit that fails must not keep the next ones out."""
    try:
        yield
    except Exception:
        logger.exception("The buffer of %s cannot be updated", path)
