"""One workspace folder: its index, what keeps it current, and the buffers that are open in it.

A folder opens on a thread of its own and is asked meanwhile; whoever asks waits a moment for it. Nothing here runs on
the thread that reads messages but what says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pygls.uris import from_fs_path, to_fs_path

from c2llm_lsp.render.error_messages import sentence
from c2llm_lsp.session.events import Busy, Done, Event, Failed, SessionStatus
from c2llm_lsp.session.factories import open_workspace
from c2llm_lsp.session.index_process.parent import is_worthwhile
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import EDITOR, WORKSPACE_FILE, Loaded, Settings, Value, load
from retrieval.errors import WorkspaceError
from retrieval.files import SourceFile, Watcher, read_file

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

    from c2llm_lsp.server.protocol_types import State
    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace
    from retrieval.types import IndexReport

OPEN_SECONDS = 5.0  # that an answer waits for an index to be opened, which takes tens of milliseconds
# Kate, for one, names the home folder where it knows of no project. To index all of it is nobody's wish.
WHOLE_HOME = "{} holds your home folder, and is no project: open the folder of one, or put a {} into it."
PAUSED = "Indexing was cancelled."
_PATHS = 4096  # that are kept in mind
STOP_SECONDS = 0.6  # of the second within which a server must have ended

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a folder stands, and the work that is going on."""

    state: State = "opening"
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a folder needs of the server around it."""

    encoder: Callable[[Settings], Encoder]  # shared by all folders
    chosen: dict[str, Value]  # what the editor's settings say
    client_watches: bool
    on_open: Callable[[Folder], None]  # or it cannot be opened; the next ones too are called on any thread
    on_standing: Callable[[Folder], None]
    on_report: Callable[[IndexReport], None]
    on_warnings: Callable[[tuple[str, ...]], None]


class ClientWatch:
    """File events that the client sends, where a watcher expects the system's."""

    def __init__(self) -> None:
        self._events: Callable[[FileSystemEvent], None] | None = None

    def __call__(self, _root: Path, events: Callable[[FileSystemEvent], None]) -> ClientWatch:
        self._events = events
        return self

    def send(self, event: FileSystemEvent) -> None:
        if self._events is not None:
            self._events(event)

    def stop(self) -> None:
        self._events = None

    def join(self, timeout: float | None = None) -> None:
        """There is no thread to wait for."""


class Folder:
    """Opened once, closed once."""

    def __init__(self, uri: str, name: str, around: Surroundings) -> None:
        self.uri = uri.rstrip("/") or uri
        self.name = name
        self.path = Path(to_fs_path(uri) or "/")
        self.real = self.path.resolve()  # as file events name it
        self.standing = Standing()
        self.workspace: Workspace | None = None
        self.session: Session | None = None
        self.ready = threading.Event()  # open, or it cannot be opened
        self.embedded = 0  # chunks of buffers that went through the encoder
        self.successor: Folder | None = None  # the same folder, opened again with other settings
        self._around = around
        self._watcher: Watcher | None = None
        self._client_watch = ClientWatch()
        self._buffers = threading.Lock()
        self._shown: set[str] = set()  # in the overlay
        self._saved: dict[str, bytes] = {}  # in the overlay, though the disk has the same text: until that is indexed
        self._showing = ""  # the path that is on its way there
        self._uris: dict[str, str] = {}  # of buffers, as the client writes them
        self.relative = lru_cache(_PATHS)(self._relative)  # asked for each open document with each answer
        self._base = (from_fs_path(str(self.path)) or "").rstrip("/")
        self._closing = False
        self._ended = threading.Event()
        self._life = threading.Lock()  # held for moments: what `ready` and `_closing` say together

    # -- its life ---------------------------------------------------------------------------------------------------

    def start(self, after: Callable[[], None] | None = None) -> None:
        """Open in the background, after something else was done there."""
        threading.Thread(target=self._open, args=(after,), name="c2llm-open", daemon=True).start()

    def _open(self, after: Callable[[], None] | None) -> None:
        try:
            if after is not None:
                after()
            if self._closing:
                return
            if _holds_the_home(self.real) and not (self.real / WORKSPACE_FILE).exists():
                raise WorkspaceError(WHOLE_HOME.format(self.path, WORKSPACE_FILE))
            self._begin(load(self.path, chosen=dict(self._around.chosen), chosen_by=EDITOR))
        except Exception as error:
            logger.exception("%s cannot be opened", self.path)
            self._stand(Standing("failed", message=sentence(error)))
        finally:
            with self._life:
                self.ready.set()
                closed = self._closing
            if closed:
                self._end()
            self._around.on_open(self)

    def _begin(self, loaded: Loaded) -> None:
        settings = loaded.settings
        self._around.on_warnings(loaded.warnings)
        workspace = open_workspace(self.path, settings, lambda: self._around.encoder(settings))
        session = Session(workspace, self._event, process_settings=settings if is_worthwhile(settings) else None)
        watcher = Watcher(
            workspace.root,
            workspace.scanner,
            session.follow,
            quiet=settings.debounce_ms / 1000,
            watch=self._client_watch if self._around.client_watches else None,
        )
        watcher.start()  # before the session looks: what changes in between is seen twice rather than never
        self._around.on_warnings(watcher.notes)
        self.workspace, self.session, self._watcher = workspace, session, watcher
        session.start()

    def close(self) -> None:
        """Stop, and leave everything that was done in the index."""
        with self._life:
            self._closing = True
            opened = self.ready.is_set()
        if opened:  # else it is closed when it is open
            self._end()

    def close_and_wait(self) -> None:
        """The same, and come back when nothing of it is at work any more: with its settings it would undo what one does
        that has others.
        """
        self.close()
        self._ended.wait()

    def _end(self) -> None:
        try:
            if self._watcher is not None:
                self._watcher.stop()
            if self.session is not None:
                self.session.stop(STOP_SECONDS)
            if self.workspace is not None:
                self.workspace.close()
        finally:
            self._ended.set()

    # -- standing ---------------------------------------------------------------------------------------------------

    def _event(self, event: Event) -> None:
        message = ""
        match event:
            case Failed(_, error):
                logger.error("Indexing %s failed", self.path, exc_info=error)
                message = sentence(error)
            case Busy(_, report) | Done(_, report):
                self._forget_saved()
                self._around.on_report(report)
                if isinstance(event, Busy) or report.unreachable:
                    message = next(iter(report.notes), "")
        if self.session is not None:
            self._stand(_standing(self.session.status, message))

    def _stand(self, standing: Standing) -> None:
        self.standing = standing
        self._around.on_standing(self)

    # -- files and buffers ------------------------------------------------------------------------------------------

    def _relative(self, uri: str) -> str | None:
        """The path of a file of this folder as the index writes it; None for what lies elsewhere. Any thread."""
        found = to_fs_path(uri)
        if found is None or not found.startswith(str(self.path).rstrip("/\\")):
            return None
        try:
            path = Path(found).relative_to(self.path).as_posix()
        except ValueError:
            return None
        return path if path != "." else None

    def uri_of(self, path: str) -> str:
        """The URI of a path of the index, as the client writes it where it has the file open."""
        return self._uris.get(path) or f"{self._base}/{quote(path)}"

    def client_event(self, event: FileSystemEvent) -> None:
        self._client_watch.send(event)

    def prepare(self, path: str, text: str) -> None:
        """This text of an open buffer is likely to be shown next."""
        if self.workspace is not None:
            self.workspace.prefetch_buffer(path, text)

    def show(self, path: str, uri: str, text: str) -> None:
        """An open buffer has this text. Where the file has it too there is nothing to show, once that is indexed."""
        workspace, session = self.workspace, self.session
        if workspace is None or session is None:
            return
        on_disk = read_file(workspace.root, path, limit=workspace.scanner.max_bytes)
        digest = on_disk.digest if isinstance(on_disk, SourceFile) and on_disk.text == text else None
        with self._buffers:
            self._uris[path] = uri
            if digest is not None and path not in self._shown and self._indexed(path) == digest:
                return
            self._shown.add(path)
            self._saved.pop(path, None)
            self._showing = path
            if digest is not None:
                self._saved[path] = digest
        try:
            self.embedded += session.set_buffer(path, text)
        finally:
            with self._buffers:
                self._showing = ""
        if digest is not None:
            session.changed([path])

    def hide(self, path: str) -> None:
        """A buffer was closed: its file counts again."""
        with self._buffers:
            self._uris.pop(path, None)
            self._saved.pop(path, None)
            shown = path in self._shown
            self._shown.discard(path)
        if shown and self.workspace is not None and self.session is not None:
            self.session.close_buffer(path)
            self.session.changed([path])

    def _forget_saved(self) -> None:
        """What was saved and is indexed now needs no buffer any more. What is just being shown stays until the next report:
        taken out now it would come in afterwards, and nobody would know of it.
        """
        if self.workspace is None:
            return
        with self._buffers:
            for path, digest in tuple(self._saved.items()):
                if path != self._showing and self._indexed(path) == digest:
                    del self._saved[path]
                    self._shown.discard(path)
                    self.workspace.close_buffer(path)

    def _indexed(self, path: str) -> bytes:
        """The digest of a file as it is in the index; empty where it is not there."""
        row = self.workspace.store.files.get(path) if self.workspace is not None else None
        return row.digest if row is not None else b""

    @property
    def unusable(self) -> bool:
        """Whether it could not be opened. Any thread."""
        return self.ready.is_set() and self.workspace is None

    @property
    def closed(self) -> bool:
        """Whether it is, or soon will be. Any thread."""
        return self._closing

    def asked(self) -> Workspace | None:
        """The workspace, that of the successor where there is one; None where it cannot be opened. Blocks for a moment
        while it is being opened.
        """
        if self.successor is not None:
            return self.successor.asked()
        self.ready.wait(OPEN_SECONDS)
        return self.workspace


def _standing(status: SessionStatus, message: str) -> Standing:
    """How a session stands, in the words of the protocol."""
    if status.state == "paused":
        return Standing("paused", message=PAUSED)
    if status.state in ("scanning", "indexing", "embedding"):
        return Standing("indexing", status.stage, status.done, status.total)
    state: State = status.state if status.state in ("failed", "following") else "ready"
    return Standing(state, message=message)


def _holds_the_home(folder: Path) -> bool:
    try:
        return Path.home().resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # there is no home
        return False
