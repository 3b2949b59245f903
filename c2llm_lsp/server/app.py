"""The language server: what one client's conversation is about, and the threads beside it.

The thread that reads messages keeps the books and does nothing that takes long: folders open on threads of their own
and are indexed on their sessions', edits go to one worker, questions to a few. `messages` holds a file for each message.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from lsprotocol import types as lsp
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from c2llm_lsp import __version__
from c2llm_lsp.render.error_messages import sentence
from c2llm_lsp.server.diagnostics import Hints
from c2llm_lsp.server.document import Document, converter
from c2llm_lsp.server.document_sync import Edits
from c2llm_lsp.server.folder import OPEN_SECONDS, Folder, Surroundings
from c2llm_lsp.server.positions import Encoding
from c2llm_lsp.server.progress import FolderProgress, work
from c2llm_lsp.server.protocol import Protocol
from c2llm_lsp.server.protocol_types import STATUS_CHANGED, FolderState, StatusChanged
from c2llm_lsp.session.factories import load_encoder
from c2llm_lsp.settings import Settings, Value
from retrieval.chunking import extension_of
from retrieval.errors import MissingExtraError, ModelError, StoreError

if TYPE_CHECKING:
    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace
    from retrieval.types import IndexReport

STATUS_EVERY = 0.25  # seconds between two notifications
UNTITLED = "untitled"  # scheme of buffers that have no file yet
ASKING = 4  # questions answered at the same time; more wait
CLOSE_SECONDS = 0.9  # that folders have to stop in
REACH_SECONDS = 1.0  # to wait for an encoder on another machine at first; it is waited for behind the scenes then

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """One client's server. All methods belong to the thread that reads messages but where they say otherwise."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("c2llm", __version__, protocol_cls=Protocol, converter_factory=converter)
        self.documents: dict[str, Document] = {}
        self.folders: list[Folder] = []
        self.encoding = Encoding()
        self.options: dict[str, Value] = {}  # the settings of `initialize`: those that hold where nothing else is said
        self.chosen: dict[str, Value] = {}
        self.settings = Settings()
        self.asking = ThreadPoolExecutor(ASKING, "c2llm-ask")
        self.client_name = ""
        self.shows_progress = False
        self.client_watches = False
        self.exit_code: int | None = None
        self.ended = asyncio.Event()
        self._bars: dict[Folder, FolderProgress] = {}
        self._closing: set[asyncio.Future[None]] = set()
        self._opening: dict[Folder, asyncio.Future[None]] = {}
        self._encoders: dict[tuple[str, int, str, str], Encoder] = {}
        self._loading = threading.Lock()
        self._tasks: set[asyncio.Future[None]] = set()
        self._told: set[str] = set()
        self._status_due: asyncio.TimerHandle | None = None
        self.loop = asyncio.get_running_loop()
        self.hints = Hints(self)
        self.edits = Edits(self.loop, self.place, self.hints.shown)

    # -- lifecycle --------------------------------------------------------------------------------------------------

    def end(self, code: int) -> None:
        """Stop reading and leave with this code."""
        if self.exit_code is None:
            self.exit_code = code
        self.ended.set()

    async def close_all(self) -> None:
        """Stop everything and leave what was done in the index. What does not stop in time is not waited for again."""
        self.edits.stop()
        folders, self.folders = self.folders, []
        for folder in folders:
            self._close(folder)
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)
            if late:
                logger.warning("Something did not stop in time; the index keeps what is stored.")
            self._closing -= late

    def _close(self, folder: Folder) -> None:
        """On a thread of its own: a pool has too few for many folders that are busy, and is waited for at the end."""
        closed = self.loop.create_future()
        self._closing.add(closed)
        closed.add_done_callback(self._closing.discard)

        def close() -> None:
            try:
                folder.close()
            except Exception:
                logger.exception("%s was not closed as it should be", folder.path)
            finally:
                self.from_thread(closed.set_result, None)

        threading.Thread(target=close, name="c2llm-close", daemon=True).start()

    def from_thread(self, act: Callable[..., None], *arguments: Any) -> None:
        """Any thread: have something done on the one that reads messages."""
        try:
            self.loop.call_soon_threadsafe(act, *arguments)
        except RuntimeError:
            logger.debug("The loop has ended.")

    def keep(self, task: asyncio.Future[None]) -> None:
        """Hold on to a task until it is done; asyncio itself does not. One that fails is logged."""
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task failed", exc_info=error)

    # -- folders and documents --------------------------------------------------------------------------------------

    def add_folder(self, uri: str, name: str) -> None:
        folder = self._folder(uri, name)
        if not any(known.uri == folder.uri for known in self.folders):
            self.folders.append(folder)
            self._start(folder)

    def remove_folder(self, folder: Folder) -> None:
        documents = self._documents_of(folder)
        self.folders.remove(folder)
        self._let_go(folder)
        self._close(folder)
        for document in documents:
            self.hints.closed(document.uri)
            if self.place(document):  # in another folder too, or now
                self.edits.changed(document, at_once=True)
        self.status_changed()

    def renew(self, folder: Folder) -> None:
        """Open a folder again, with the settings as they are now; it keeps its place, and who asks meanwhile waits."""
        fresh = folder.successor = self._folder(folder.uri, folder.name)
        self.folders[self.folders.index(folder)] = fresh
        self._let_go(folder)
        self._start(fresh, after=folder.close_and_wait)

    def _folder(self, uri: str, name: str) -> Folder:
        around = Surroundings(
            encoder=self._encoder,
            chosen=self.chosen,
            client_watches=self.client_watches,
            on_open=lambda folder: self.from_thread(self._opened, folder),
            on_standing=lambda folder: self.from_thread(self._standing_changed, folder),
            on_report=lambda report: self.from_thread(self._reported, report),
            on_warnings=lambda texts: self.from_thread(self._warn, texts),
        )
        # Neovim and Eglot call folders by their paths.
        return Folder(uri, PurePosixPath(name or unquote(urlsplit(uri).path)).name, around)

    def _start(self, folder: Folder, after: Callable[[], None] | None = None) -> None:
        self._bars[folder] = FolderProgress(self, folder)
        self._opening[folder] = self.loop.create_future()
        folder.start(after)

    def _let_go(self, folder: Folder) -> None:
        if (bar := self._bars.pop(folder, None)) is not None:
            bar.close()
        gc.unfreeze()  # what belonged to it can be collected

    def place(self, document: Document) -> list[tuple[Folder, str]]:
        """The folders that a document belongs to; one that has no file yet belongs to the first."""
        scheme = document.scheme
        if scheme == UNTITLED:
            return [(folder, untitled_path(document)) for folder in self.folders[:1]]
        if scheme != "file":
            return []
        return self._holding(document.uri)

    def _holding(self, uri: str) -> list[tuple[Folder, str]]:
        """The folders that a file lies in, and its path in each."""
        found = ((folder, folder.relative(uri)) for folder in self.folders)
        return [(folder, path) for folder, path in found if path is not None]

    def _documents_of(self, folder: Folder) -> list[Document]:
        return [one for one in self.documents.values() if any(found is folder for found, _ in self.place(one))]

    def place_of(self, uri: str) -> tuple[Folder, str] | None:
        """The innermost folder that a URI belongs to, and its path in it."""
        document = self.documents.get(uri)
        places = self.place(document) if document is not None else self._holding(uri)
        return min(places, key=lambda place: len(place[1]), default=None)

    def folder_at(self, uri: str) -> Folder | None:
        return next((folder for folder in self.folders if folder.uri == uri.rstrip("/")), None)

    def folder_with_bar(self, token: int | str) -> Folder | None:
        return next((folder for folder, bar in self._bars.items() if bar.token == token), None)

    async def opened(self, folders: Iterable[Folder]) -> None:
        """Wait a moment for folders that are being opened, so that their documents are known to be shown."""
        waiting = [self._opening[folder] for folder in folders if folder in self._opening]
        if waiting:
            await asyncio.wait(waiting, timeout=OPEN_SECONDS)

    def _opened(self, folder: Folder) -> None:
        if (waited := self._opening.pop(folder, None)) is not None and not waited.done():
            waited.set_result(None)
        gc.freeze()  # see `_converse`
        for document in self._documents_of(folder):
            self.edits.changed(document, at_once=True)

    # -- asking -----------------------------------------------------------------------------------------------------

    async def ask(
        self, folders: Iterable[Folder], question: Callable[[Folder, Workspace, threading.Event], T]
    ) -> list[T]:
        """The answers of some folders that can be asked; a request that is cancelled sets the event of its question. One
        whose folder is opened again meanwhile is asked again there.
        """
        cancel = threading.Event()

        def run(folder: Folder, closed: Workspace | None = None) -> list[T]:
            workspace = folder.asked()
            if workspace is None or workspace is closed:  # it cannot be opened, or was and will not be again
                return []
            try:
                return [question(folder, workspace, cancel)]
            except StoreError:
                if closed is not None or not folder.closed:
                    raise
                return run(folder, workspace)

        try:
            found = await asyncio.gather(*(self.loop.run_in_executor(self.asking, run, folder) for folder in folders))
        except asyncio.CancelledError:
            cancel.set()
            raise
        return [answer for answers in found for answer in answers]

    def _encoder(self, settings: Settings) -> Encoder:
        """Any thread: the encoder of these settings, loaded once for all folders, and when what runs elsewhere has
        become another one. Raises ModelError.
        """
        from retrieval.encoders import is_outdated

        key = settings.encoder, settings.threads, settings.device, settings.dtype
        with self._loading:
            if key not in self._encoders or is_outdated(self._encoders[key]):
                try:
                    self._encoders[key] = load_encoder(settings, patience=REACH_SECONDS)
                except MissingExtraError as error:  # words are searched as with a model that is broken
                    raise ModelError(str(error)) from error
            return self._encoders[key]

    # -- telling ----------------------------------------------------------------------------------------------------

    def send(self, method: str, params: msgspec.Struct) -> None:
        self.protocol.notify(method, msgspec.to_builtins(params))

    def tell(self, text: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        """Show the user one sentence, once."""
        if text and text not in self._told:
            self._told.add(text)
            self.window_show_message(lsp.ShowMessageParams(kind, text))

    def say(self, text: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Show the user what was asked for."""
        self.window_show_message(lsp.ShowMessageParams(kind, text))

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Something other than a request failed; requests have their answer."""
        if source is not FeatureRequestError:
            logger.error("A message could not be handled", exc_info=error)
            self.tell(sentence(error), lsp.MessageType.Error)

    def status_changed(self) -> None:
        """Tell the client how the folders stand, soon."""
        if self._status_due is None:
            self._status_due = self.loop.call_later(STATUS_EVERY, self._send_status)

    def state_of(self, folder: Folder) -> FolderState:
        standing = folder.standing
        return FolderState(
            folder=folder.uri,
            name=folder.name,
            state=standing.state,
            work=work(standing),
            message=standing.message,
            pending_edits=self.edits.pending_in(folder),
        )

    def _send_status(self) -> None:
        self._status_due = None
        self.send(STATUS_CHANGED, StatusChanged(folders=[self.state_of(folder) for folder in self.folders]))

    def _standing_changed(self, folder: Folder) -> None:
        if (bar := self._bars.get(folder)) is None:
            return
        bar.follow()
        self.hints.standing(folder)
        if folder.standing.state == "failed":
            self.tell(f"{folder.name}: {folder.standing.message}", lsp.MessageType.Error)
        self.status_changed()

    def _reported(self, report: IndexReport) -> None:
        if not report.busy:
            self._warn(report.notes)

    def _warn(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.tell(text)


def untitled_path(document: Document) -> str:
    """What a buffer without a file is called in the index; no file can be called so by accident."""
    name = unquote(urlsplit(document.uri).path).strip("/") or "buffer"
    return f"untitled:{name}" if "." in name.rpartition("/")[2] else f"untitled:{name}{extension_of(document.language)}"
