"""The workspace that the tools ask. Nothing is watched: an assistant asks seldom, and each question first looks for what
changed, as `c2llm search` does. That is done when it is asked (milliseconds in a project of some thousand files), but
waited for only so long; what an answer does not have yet, its freshness says.
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

PATIENCE = 5.0  # seconds that a question waits for changed files: an assistant rather waits than asks twice
REACH_SECONDS = 1.0  # to wait for an encoder on another machine at first; words answer meanwhile
STOP_SECONDS = 1.0  # until the work that is going on is left as it is; what is done of it is stored
_ASKED = "question "

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """What is being indexed."""

    stage: str
    done: int
    total: int


class Live:
    """Opened once, closed once. May be asked on any thread."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.workspace: Workspace = open_workspace(
            root, settings, lambda: load_encoder(settings, patience=REACH_SECONDS)
        )
        self._session = Session(self.workspace, self._heard)
        self._turn = threading.Condition()
        self._asked = 0  # questions so far, each of which asks for a look at everything
        self._seen = 0  # the last of them whose look is done
        self._work: Work | None = None
        self._trouble = ""
        self._session.start()

    def close(self) -> None:
        self._session.stop(STOP_SECONDS)
        self.workspace.close()

    @property
    def state(self) -> State:
        """What the session is doing."""
        return self._session.status.state

    @property
    def work(self) -> Work | None:
        return self._work

    @property
    def trouble(self) -> tuple[str, ...]:
        """What kept the last look from its end, as a sentence for the answer's notes."""
        return (self._trouble,) if self._trouble else ()

    def ask(self, question: Callable[[Workspace], T], patience: float = PATIENCE) -> T:
        """Look for changes, then ask; after `patience` seconds ask anyhow."""
        with self._turn:
            self._asked += 1
            mine = self._asked
        self._session.rescan(f"{_ASKED}{mine}")
        with self._turn:
            self._turn.wait_for(lambda: self._seen >= mine, timeout=patience)
        return question(self.workspace)

    def inside(self, path: str) -> str:
        """A path as the index has it, from one that is relative to the workspace or absolute. Raises QueryError."""
        given = Path(path)
        if not given.is_absolute():
            return given.as_posix()
        real = given.parent.resolve() / given.name
        if not real.is_relative_to(self.root):
            raise QueryError(f"{path} is not in the workspace {self.root}.")
        return real.relative_to(self.root).as_posix()

    def _heard(self, event: Event) -> None:
        """On the session's thread."""
        with self._turn:
            if isinstance(event, Progress):
                self._work = Work(event.stage, event.done, event.total)
                return
            self._work = None
            if isinstance(event, StateChanged) or (not isinstance(event, Failed) and event.report.cancelled):
                return  # another question came: its look is the whole one
            self._trouble = error_message(event.error) if isinstance(event, Failed) else ""
            number = event.job.cause.removeprefix(_ASKED)
            if number != event.job.cause:
                self._seen = int(number)
            self._turn.notify_all()
