"""One workspace folder: its index, and the session that keeps it current.

A folder opens on a thread of its own; queries that come meanwhile wait a moment for it. Methods may be called from any
thread unless they say otherwise.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.server.folders.client_watcher import ClientWatcher
from c2llm_lsp.server.folders.file_uris import FileUris
from c2llm_lsp.server.folders.indexing_state import IndexingState, state_of_session
from c2llm_lsp.session.events import Busy, Done, Event, Failed
from c2llm_lsp.session.factories import open_workspace
from c2llm_lsp.session.index_process.parent import is_worthwhile
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import EDITOR, WORKSPACE_FILE, Loaded, Settings, Value, load
from retrieval.errors import NewerSchemaError, StoreError, WorkspaceError
from retrieval.files import SourceFile, Watcher, WatchTiming, mask_tokens, read_file

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace
    from retrieval.types import IndexReport

OPEN_SECONDS = 5.0  # that an answer waits for an index to be opened, which takes tens of milliseconds
# Kate, for one, names the home folder where it knows of no project. To index all of it is nobody's wish.
HOME_FOLDER = "{} holds your home folder, and is no project: open the folder of one, or put a {} into it."
REOPEN_SECONDS = 5.0  # until a folder is opened once more whose index could not be written
STOP_SECONDS = 0.6  # of the second within which a server must have ended

logger = logging.getLogger(__name__)


class FolderListener(Protocol):
    """Who is told of a folder's life. Called on any thread."""

    def folder_opened(self, folder: Folder) -> None:
        """It is open, or cannot be opened."""

    def indexing_changed(self, folder: Folder) -> None:
        """Its `state` is another one."""

    def index_updated(self, folder: Folder, report: IndexReport) -> None: ...

    def folder_warned(self, warnings: tuple[str, ...]) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderServices:
    """What folders need of the server around them."""

    load_encoder: Callable[[Settings], Encoder]  # shared by all folders; raises ModelError
    editor_settings: dict[str, Value]
    client_watches: bool
    listener: FolderListener


class Folder:
    """Opened once, closed once."""

    def __init__(self, uri: str, name: str, services: FolderServices) -> None:
        self.uri = uri.rstrip("/") or uri
        self.name = name
        self.files = FileUris(uri)
        self.path = self.files.root
        self.real_path = self.path.resolve()  # as file events name it
        self.state = IndexingState()
        self.workspace: Workspace | None = None
        self.session: Session | None = None
        self.ready = threading.Event()  # open, or it cannot be opened
        self.embedded_chunks = 0  # of buffers
        self.successor: Folder | None = None  # the same folder, opened again with other settings
        self._services = services
        self._watcher: Watcher | None = None
        self._client_watcher = ClientWatcher()
        self._opening = True  # whether an attempt to open it is going on, or about to
        self._reported = False  # whether the listener has been told that it is open, or cannot be opened
        self._closing = threading.Event()
        self._closed = threading.Event()
        self._life = threading.Lock()  # held for moments: what `ready`, `_opening` and `_closing` say together

    # -- opening and closing ----------------------------------------------------------------------------------------

    def start(self, after: Callable[[], None] | None = None) -> None:
        """Open in the background; `after` is called there before."""
        threading.Thread(target=self._open, args=(after,), name="c2llm-open", daemon=True).start()

    def _open(self, after: Callable[[], None] | None) -> None:
        """On a thread of its own: until the folder is open or closed, or cannot be opened for a reason that stays."""
        try:
            if after is not None:
                after()
        except Exception:
            logger.exception("What comes before %s failed", self.path)
        while self._try_to_open() and not self._closing.wait(REOPEN_SECONDS):
            with self._life:
                self._opening = True

    def _try_to_open(self) -> bool:
        """Open the folder; whether another attempt may succeed: the disk is full, or cannot be written."""
        again = False
        try:
            if not self._closing.is_set():
                self._open_once()
        except Exception as error:
            again = isinstance(error, StoreError) and not isinstance(error, NewerSchemaError)
            state = IndexingState("failed", message=error_message(error))
            if state != self.state:  # else it has been said
                logger.exception("%s cannot be opened", self.path)
                self._set_state(state)
        finally:
            with self._life:
                self.ready.set()
                self._opening = False
                closing = self._closing.is_set()
            if closing:
                self._stop()
            if not again or not self._reported:
                self._reported = True
                self._services.listener.folder_opened(self)
        return again

    def _open_once(self) -> None:
        if _holds_the_home(self.real_path) and not (self.real_path / WORKSPACE_FILE).exists():
            raise WorkspaceError(HOME_FOLDER.format(self.path, WORKSPACE_FILE))
        self._start_session(load(self.path, overrides=dict(self._services.editor_settings), override_source=EDITOR))

    def _start_session(self, loaded: Loaded) -> None:
        settings = loaded.settings
        self._services.listener.folder_warned(loaded.warnings)
        workspace = open_workspace(self.path, settings, lambda: self._services.load_encoder(settings))
        session = Session(workspace, self._on_event, process_settings=settings if is_worthwhile(settings) else None)
        watcher = Watcher(
            workspace.root,
            workspace.scanner,
            session.follow,
            timing=WatchTiming(quiet=settings.debounce_ms / 1000),
            watch=self._client_watcher if self._services.client_watches else None,
            on_hold=session.hold,
        )
        watcher.start()  # before the session scans: what changes in between is seen twice rather than never
        self._services.listener.folder_warned(watcher.notes)
        self.workspace, self.session, self._watcher = workspace, session, watcher
        session.start()

    def close(self) -> None:
        """Stop, and leave everything that was done in the index."""
        with self._life:
            self._closing.set()
            opening = self._opening
        if not opening:  # else it is closed when it is open
            self._stop()

    def close_and_wait(self) -> None:
        """The same, and return when nothing of it is running any more: with its settings it would undo what a successor
        with other settings does.
        """
        self.close()
        self._closed.wait()

    def _stop(self) -> None:
        try:
            if self._watcher is not None:
                self._watcher.stop()
            if self.session is not None:
                self.session.stop(STOP_SECONDS)
            if self.workspace is not None:
                self.workspace.close()
        finally:
            self._closed.set()

    @property
    def unusable(self) -> bool:
        """Whether it could not be opened."""
        return self.ready.is_set() and self.workspace is None

    @property
    def closing(self) -> bool:
        """Whether it is closed, or soon will be."""
        return self._closing.is_set()

    def wait_open(self) -> Workspace | None:
        """The workspace, that of the successor where there is one; None where it cannot be opened. Blocks for a moment
        while it is being opened.
        """
        if self.successor is not None:
            return self.successor.wait_open()
        self.ready.wait(OPEN_SECONDS)
        return self.workspace

    # -- indexing ---------------------------------------------------------------------------------------------------

    def rescan(self, cause: str) -> None:
        """Compare everything with the disk, where the folder is open."""
        if self.session is not None:
            self.session.rescan(cause)

    def cancel_indexing(self) -> None:
        if self.session is not None:
            self.session.pause()

    def file_changed(self, path: str) -> None:
        if self.session is not None:
            self.session.changed([path])

    def client_event(self, event: FileSystemEvent) -> None:
        self._client_watcher.send(event)

    def _on_event(self, event: Event) -> None:
        message = ""
        match event:
            case Failed(_, error):
                logger.error("Indexing %s failed", self.path, exc_info=error)
                message = error_message(error)
            case Busy(_, report) | Done(_, report):
                self._services.listener.index_updated(self, report)
                if isinstance(event, Busy) or report.unreachable:
                    message = next(iter(report.notes), "")
        if self.session is not None:
            self._set_state(state_of_session(self.session.status, message))

    def _set_state(self, state: IndexingState) -> None:
        self.state = state
        self._services.listener.indexing_changed(self)

    # -- buffers: called by the thread of the document sync ---------------------------------------------------------

    def set_buffer(self, path: str, text: str) -> None:
        """Search this text in place of the file."""
        if self.session is not None:
            self.embedded_chunks += self.session.set_buffer(path, text)

    def prefetch_buffer(self, path: str, text: str) -> None:
        """Chunk a text that is likely to be set next."""
        if self.workspace is not None:
            self.workspace.prefetch_buffer(path, text)

    def close_buffer(self, path: str) -> None:
        """Search the file again."""
        if self.session is not None:
            self.session.close_buffer(path)

    def saved_digest(self, path: str, text: str) -> bytes | None:
        """The digest of the file if it has exactly this text."""
        if self.workspace is None:
            return None
        on_disk = read_file(self.workspace.root, path, limit=self.workspace.scanner.max_bytes)
        return on_disk.digest if isinstance(on_disk, SourceFile) and on_disk.text == mask_tokens(text) else None

    def indexed_digest(self, path: str) -> bytes:
        """The digest of a file as it is in the index; empty where it is not there."""
        row = self.workspace.store.files.get(path) if self.workspace is not None else None
        return row.digest if row is not None else b""


def _holds_the_home(folder: Path) -> bool:
    try:
        return Path.home().resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # there is no home
        return False
