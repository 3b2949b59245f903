"""A live workspace: files change, the index follows, and there is one job at a time.

Requests do not queue up, they merge: paths that changed while a job runs become one next job, and a request to look
at everything swallows them. The latest request wins: embedding a whole workspace steps aside for a changed file and
goes on afterwards from where it was, because what is embedded is stored. A job starts when files have been quiet for
a moment, but never later than `LONGEST_WAIT`.

`watch` prints the events; the language server will answer with them. Callbacks run on the session's own thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from retrieval.errors import C2llmError, Locked
from retrieval.types import IndexReport

if TYPE_CHECKING:
    from retrieval.workspace import Workspace

LONGEST_WAIT = 2.0  # seconds that a stream of changes can put off a job
RETRY_AFTER = 5.0  # seconds until a job that failed, or that another process kept out, is tried again


@dataclass(frozen=True, slots=True)
class Job:
    """What to look at: some paths, or everything (None); and what asked for it."""

    paths: tuple[str, ...] | None
    cause: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a session did or could not do."""

    kind: Literal["done", "failed", "progress"]
    job: Job
    report: IndexReport | None = None
    error: Exception | None = None
    stage: str = ""
    done: int = 0
    total: int = 0


class Session:
    """Keeps the index of one workspace current on a thread of its own. Start it once, stop it once."""

    def __init__(self, workspace: Workspace, *, debounce: float, on_event: Callable[[Event], None]) -> None:
        self._workspace = workspace
        self._debounce = debounce
        self._on_event = on_event
        self._wake = threading.Condition()
        self._paths: dict[str, None] = {}  # changed, not looked at yet; a dict keeps their order
        self._everything = ""  # why everything is to be looked at; empty: it is not
        self._first = self._last = 0.0  # when the oldest and the newest pending change came
        self._stopping = False
        self._cancel = threading.Event()
        self._may_step_aside = False  # whether the running job is one that a changed file interrupts
        self._thread = threading.Thread(target=self._run, name="c2llm-session", daemon=True)

    def start(self) -> None:
        """Catch up with what changed while nobody looked, then wait for changes."""
        self.rescan("start")
        self._thread.start()

    def stop(self) -> None:
        """End after the current step; what is done is stored."""
        with self._wake:
            self._stopping = True
            self._cancel.set()
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def changed(self, paths: Iterable[str]) -> None:
        """Some files changed on disk."""
        with self._wake:
            self._paths.update(dict.fromkeys(paths))
            self._note()
            if self._may_step_aside:
                self._cancel.set()

    def rescan(self, cause: str) -> None:
        """Anything may have changed: ignore rules, a branch, more events than the system could deliver."""
        with self._wake:
            self._everything = cause
            self._note()

    @property
    def pending(self) -> int:
        """Changes that were seen and not looked at yet; everything counts as one."""
        with self._wake:
            return len(self._paths) + bool(self._everything)

    def _note(self) -> None:
        now = time.monotonic()
        self._first = self._first or now
        self._last = now
        self._wake.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                report = self._perform(job)
            except (C2llmError, OSError) as error:
                self._on_event(Event("failed", job, error=error))
                self._again(job, RETRY_AFTER)
                continue
            if report.cancelled:
                self._again(job, 0.0)
            self._on_event(Event("done", job, report=report))

    def _next(self) -> Job | None:
        """The next job once files are quiet, or None at the end."""
        with self._wake:
            while not self._stopping:
                if not self._first:
                    self._wake.wait()
                    continue
                quiet = min(self._last + self._debounce, self._first + LONGEST_WAIT) - time.monotonic()
                if quiet > 0 and self._everything != "start":
                    self._wake.wait(quiet)
                    continue
                return self._take()
            return None

    def _take(self) -> Job:
        paths, cause = tuple(self._paths), self._everything
        if cause == "resume" and paths:  # small things first: the rest goes on behind them
            self._paths.clear()
            self._first = self._last = time.monotonic()
            self._cancel.clear()
            return Job(paths, "files")
        self._paths.clear()
        self._everything = ""
        self._first = self._last = 0.0
        self._cancel.clear()
        return Job(None, cause) if cause else Job(paths, "files")

    def _perform(self, job: Job) -> IndexReport:
        if job.paths is not None:
            return self._workspace.changed(job.paths)
        try:
            return self._workspace.refresh(progress=self._progress_of(job), cancel=self._cancel)
        finally:
            with self._wake:
                self._may_step_aside = False

    def _progress_of(self, job: Job) -> Callable[[str, int, int], None]:
        def progress(stage: str, done: int, total: int) -> None:
            if stage == "vectors":
                with self._wake:
                    self._may_step_aside = True
                    if self._paths:
                        self._cancel.set()
            self._on_event(Event("progress", job, stage=stage, done=done, total=total))

        return progress

    def _again(self, job: Job, delay: float) -> None:
        """Put a job back. What failed is looked at as a whole after a while: its cause may have hit other files too."""
        with self._wake:
            if self._stopping:
                return
            if delay:
                self._wake.wait_for(lambda: self._stopping, timeout=delay)
            self._everything = "resume" if job.paths is None and not delay else "retry"
            self._note()


def other_writer(error: Exception | None) -> bool:
    """Whether a job failed only because another process does the same work."""
    return isinstance(error, Locked)
