"""The workspace behind the tools. Files are not watched: assistants query seldom, and each query first scans for changes, as
`c2llm search` does. A scan takes milliseconds in a project of some thousand files; a query waits for it only so long, and
the answer's freshness says what is pending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.session.events import Event, Failed, Progress, State, StateChanged
from c2llm_lsp.session.factories import load_encoder, open_workspace
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import Settings
from retrieval.engine import Workspace
from retrieval.errors import QueryError

MAX_WAIT_SECONDS = 5.0  # a query waits so long for changed files: assistants prefer waiting to asking again
CONNECT_SECONDS = 1.0  # for a remote encoder at start; until it is available search falls back to keywords
STOP_SECONDS = 1.0  # for the running index job to stop; what it has done is stored
_QUERY_CAUSE = "query "

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Progress of the running index job."""

    stage: str
    done: int
    total: int


class LiveWorkspace:
    """Opened once, closed once; safe to query from any thread."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.counts_savings = settings.savings
        self.workspace: Workspace = open_workspace(
            root, settings, lambda: load_encoder(settings, patience=CONNECT_SECONDS)
        )
        self._session = Session(self.workspace, self._on_event)
        self._changed = threading.Condition()
        self._requested = 0  # number of queries so far; each requests a scan
        self._completed = 0  # the latest query whose scan is complete
        self._progress: IndexProgress | None = None
        self._error = ""
        self._session.start()

    def close(self) -> None:
        self._session.stop(STOP_SECONDS)
        self.workspace.close()

    @property
    def state(self) -> State:
        """What the session is doing."""
        return self._session.status.state

    @property
    def progress(self) -> IndexProgress | None:
        return self._progress

    @property
    def errors(self) -> tuple[str, ...]:
        """The error of the latest scan, if any, for the answer's notes."""
        return (self._error,) if self._error else ()

    def query(self, run: Callable[[Workspace], T], wait_seconds: float = MAX_WAIT_SECONDS) -> T:
        """Scan for changes, then run the query; after `wait_seconds` run it on what is indexed."""
        with self._changed:
            self._requested += 1
            number = self._requested
        self._session.rescan(f"{_QUERY_CAUSE}{number}")
        with self._changed:
            self._changed.wait_for(lambda: self._completed >= number, timeout=wait_seconds)
        return run(self.workspace)

    def relative_path(self, path: str) -> str:
        """The path relative to the workspace, of a relative or absolute one. Raises QueryError."""
        if "\0" in path:
            raise QueryError("A path has no zero characters.")
        location = Path(path)
        if not location.is_absolute():
            return location.as_posix()
        real = location.parent.resolve() / location.name
        if not real.is_relative_to(self.root):
            raise QueryError(f"{path} is not in the workspace {self.root}.")
        return real.relative_to(self.root).as_posix()

    def _on_event(self, event: Event) -> None:
        """On the session's thread."""
        with self._changed:
            if isinstance(event, Progress):
                self._progress = IndexProgress(event.stage, event.done, event.total)
                return
            self._progress = None
            if isinstance(event, StateChanged) or (not isinstance(event, Failed) and event.report.cancelled):
                return  # a newer query interrupted this scan and requested its own
            self._error = error_message(event.error) if isinstance(event, Failed) else ""
            number = event.job.cause.removeprefix(_QUERY_CAUSE)
            if number != event.job.cause:
                self._completed = int(number)
            self._changed.notify_all()
