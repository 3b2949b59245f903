"""The workspace folders: they come, go, are opened again with other settings, and tell of their indexing.

Belongs to the thread that reads messages; what the folders report on threads of their own is handed over to it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp

from c2llm_lsp.server.client import Client
from c2llm_lsp.server.diagnostics import NearDuplicateDiagnostics
from c2llm_lsp.server.encoder_cache import EncoderCache
from c2llm_lsp.server.event_loop import EventLoop
from c2llm_lsp.server.folders import Folder, FolderServices
from c2llm_lsp.server.folders.folder import OPEN_SECONDS
from c2llm_lsp.server.progress_bar import ProgressBar
from c2llm_lsp.server.state import State
from c2llm_lsp.server.status_notifier import StatusNotifier
from c2llm_lsp.server.sync import DocumentSync

if TYPE_CHECKING:
    from retrieval.types import IndexReport

CLOSE_SECONDS = 0.9  # that folders have to stop in

logger = logging.getLogger(__name__)


class FolderManager:
    """Opens and closes the folders of the state, and is their listener."""

    def __init__(
        self,
        loop: EventLoop,
        client: Client,
        state: State,
        sync: DocumentSync,
        status: StatusNotifier,
        diagnostics: NearDuplicateDiagnostics,
    ) -> None:
        self._loop, self._client, self._state = loop, client, state
        self._sync, self._status, self._diagnostics = sync, status, diagnostics
        self._encoders = EncoderCache()
        self._bars: dict[Folder, ProgressBar] = {}
        self._opening: dict[Folder, asyncio.Future[None]] = {}
        self._closing: set[asyncio.Future[None]] = set()

    # -- what the editor asks for -----------------------------------------------------------------------------------

    def add(self, uri: str, name: str) -> None:
        folder = self._folder(uri, name)
        if not any(existing.uri == folder.uri for existing in self._state.folders):
            self._state.folders.append(folder)
            self._start(folder)

    def remove(self, folder: Folder) -> None:
        documents = self._state.documents_in(folder)
        self._state.folders.remove(folder)
        self._release(folder)
        self._close(folder)
        for document in documents:
            self._diagnostics.document_closed(document.uri)
            self._sync.schedule(document, at_once=True)  # in another folder, too or now
        self._status.changed()

    def reopen(self, folder: Folder) -> None:
        """Open a folder again, with the settings as they are now; queries that come meanwhile wait for it."""
        successor = folder.successor = self._folder(folder.uri, folder.name)
        self._state.folders[self._state.folders.index(folder)] = successor
        self._release(folder)
        self._start(successor, after=folder.close_and_wait)

    def reopen_all(self) -> None:
        for folder in tuple(self._state.folders):
            self.reopen(folder)

    def cancel_indexing(self, token: int | str) -> None:
        """Cancel the indexing that a progress token belongs to."""
        for folder, bar in self._bars.items():
            if bar.token == token:
                folder.cancel_indexing()

    async def wait_open(self, folders: Iterable[Folder]) -> None:
        """Wait a moment for folders that are being opened, so that their documents are known to be shown."""
        waiting = [self._opening[folder] for folder in folders if folder in self._opening]
        if waiting:
            await asyncio.wait(waiting, timeout=OPEN_SECONDS)

    async def close_all(self) -> None:
        """Stop everything and leave what was done in the index. What does not stop in time is not waited for again."""
        folders, self._state.folders = self._state.folders, []
        for folder in folders:
            self._close(folder)
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)
            if late:
                logger.warning("A folder did not stop in time; the index keeps what is stored.")
            self._closing -= late

    def _folder(self, uri: str, name: str) -> Folder:
        services = FolderServices(
            load_encoder=self._encoders.load,
            editor_settings=self._state.settings.chosen,
            client_watches=self._state.client.file_events,
            listener=self,
        )
        # Neovim and Eglot call folders by their paths.
        return Folder(uri, PurePosixPath(name or unquote(urlsplit(uri).path)).name, services)

    def _start(self, folder: Folder, after: Callable[[], None] | None = None) -> None:
        self._bars[folder] = ProgressBar(self._loop, self._client, folder, supported=self._state.client.progress)
        self._opening[folder] = self._loop.asyncio.create_future()
        folder.start(after)

    def _release(self, folder: Folder) -> None:
        """Let go of what was kept for a folder."""
        if (bar := self._bars.pop(folder, None)) is not None:
            bar.close()
        self._sync.folder_closed(folder)
        gc.unfreeze()  # what belonged to it can be collected

    def _close(self, folder: Folder) -> None:
        """On a thread of its own: a pool has too few for many folders that are busy, and is waited for at the end."""
        closed = self._loop.asyncio.create_future()
        self._closing.add(closed)
        closed.add_done_callback(self._closing.discard)
        threading.Thread(target=self._close_on_thread, args=(folder, closed), name="c2llm-close", daemon=True).start()

    def _close_on_thread(self, folder: Folder, closed: asyncio.Future[None]) -> None:
        try:
            folder.close()
        except Exception:
            logger.exception("%s could not be closed properly", folder.path)
        finally:
            self._loop.call_soon_threadsafe(closed.set_result, None)

    # -- what the folders tell, on any thread -----------------------------------------------------------------------

    def folder_opened(self, folder: Folder) -> None:
        self._loop.call_soon_threadsafe(self._opened, folder)

    def indexing_changed(self, folder: Folder) -> None:
        self._loop.call_soon_threadsafe(self._indexing_changed, folder)

    def index_updated(self, folder: Folder, report: IndexReport) -> None:
        self._loop.call_soon_threadsafe(self._sync.index_updated, folder)
        if not report.busy:
            self.folder_warned(report.notes)

    def folder_warned(self, warnings: tuple[str, ...]) -> None:
        for text in warnings:
            self._loop.call_soon_threadsafe(self._client.warn_once, text)

    def _opened(self, folder: Folder) -> None:
        if (waited := self._opening.pop(folder, None)) is not None and not waited.done():
            waited.set_result(None)
        gc.freeze()  # see `run_server`
        for document in self._state.documents_in(folder):
            self._sync.schedule(document, at_once=True)

    def _indexing_changed(self, folder: Folder) -> None:
        if (bar := self._bars.get(folder)) is None:
            return
        bar.update()
        self._diagnostics.indexing_changed(folder)
        if folder.state.phase == "failed":
            self._client.warn_once(f"{folder.name}: {folder.state.message}", lsp.MessageType.Error)
        self._status.changed()
