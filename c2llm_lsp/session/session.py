"""A live workspace: files change, the index follows, and there is one job at a time.

The watcher collects what changes into batches; the session turns them into jobs. Requests do not queue up, they
merge: paths that change while a job runs become one next job, and a request to look at everything swallows them. The
latest request wins: embedding a whole workspace steps aside for a changed file and goes on afterwards from where it
was, because what is embedded is stored.

`watch` prints the events, the language server tells its client of them. Callbacks run on the session's own thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from retrieval.errors import C2llmError, StoreError
from retrieval.processes.environment import keep_out
from retrieval.types import IndexReport

if TYPE_CHECKING:
    from pathlib import Path

    from c2llm_lsp.settings import Settings
    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace
    from retrieval.files import Changes

logger = logging.getLogger(__name__)

SETTLE_AFTER = 3.0  # seconds of quiet before upkeep
LARGE = 200  # files to read, from which on a process of its own does it; it takes a second to start
RETRY_AFTER = 5.0  # seconds until a job that failed is tried again
BUSY_AFTER = 1.0  # the same where another process is writing: when that dies, this one takes over
REACH_EVERY = 1.0  # seconds between two looks at whether an encoder that runs elsewhere can be had again


def opened(root: Path, settings: Settings, load_encoder: Callable[[], Encoder] | None = None) -> Workspace:
    """The workspace of a folder as the settings say; the encoder is loaded when it is needed."""
    keep_out(root)  # before the engine is imported
    from retrieval.engine import Workspace

    threads = settings.threads or None
    return Workspace.open(
        root,
        load_encoder=load_encoder or (lambda: loaded(settings)),
        cache_dir=settings.cache,
        excludes=settings.exclude,
        max_bytes=settings.max_file_bytes,
        threads=threads,
    )


def loaded(settings: Settings, *, patience: float | None = None) -> Encoder:
    """The encoder that the settings name; one on another machine is waited for at most `patience` seconds."""
    from retrieval.encoders import load
    from retrieval.store.cache_paths import cache_folder

    return load(
        settings.encoder,
        threads=settings.threads or None,
        device=settings.device,
        dtype=settings.dtype,
        patience=patience,
        cache=cache_folder(settings.cache),
    )


@dataclass(frozen=True, slots=True)
class Job:
    """What to look at: some paths, or everything (None); and what asked for it."""

    paths: tuple[str, ...] | None
    cause: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a session did, is doing, or could not do."""

    kind: Literal["progress", "done", "busy", "failed"]
    job: Job
    report: IndexReport | None = None
    error: Exception | None = None
    stage: str = ""
    done: int = 0
    total: int = 0


class Session:
    """Keeps the index of one workspace current on a thread of its own. Started once, stopped once."""

    def __init__(
        self,
        workspace: Workspace,
        on_event: Callable[[Event], None],
        *,
        helped_by: Settings | None = None,
        retry_after: float = RETRY_AFTER,
        settle_after: float = SETTLE_AFTER,
        on_rest: Callable[[], None] = lambda: None,
    ) -> None:
        """With the settings `helped_by` a large job is done by a process of its own (see index_process.py). `on_rest` is
        called whenever there is nothing more to do, upkeep included.
        """
        self._workspace = workspace
        self._helped_by = helped_by
        self._settle_after = settle_after
        self._on_rest = on_rest
        self._elsewhere = 0  # files that another process is to look at for this one
        self._away = False  # whether another process is at a job of this one
        workspace.set_listener(self)
        self._on_event = on_event
        self._retry_after = retry_after
        self._wake = threading.Condition()
        self._paths: dict[str, None] = {}  # changed, not looked at yet; a dict keeps their order
        self._everything = ""  # why everything is to be looked at; empty: it is not
        self._paused = False  # whether somebody cancelled, so that an interrupted job is not taken up again by itself
        self._rest = ""  # why the rest of an interrupted job is to be done, behind everything else
        self._stopping = False
        self._cancel = threading.Event()
        self._steps_aside = False  # whether the running job is one that a changed file interrupts
        self._unsettled = False  # whether there is upkeep for a quiet moment
        self._unreached = False  # whether chunks wait for an encoder that could not be reached
        self._thread = threading.Thread(target=self._run, name="c2llm-session", daemon=True)

    def start(self) -> None:
        """Catch up with what changed while nobody looked, then wait for changes."""
        self.rescan("start")
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the current step, waited for at most `patience` seconds; what is done is stored."""
        with self._wake:
            self._stopping = True
            self._cancel.set()
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience)

    def changed(self, paths: Iterable[str]) -> None:
        """Some files changed on disk."""
        with self._wake:
            self._paths.update(dict.fromkeys(paths))
            self._expect()
            if self._steps_aside and self._paths:
                self._cancel.set()
            self._wake.notify_all()

    def follow(self, changes: Changes) -> None:
        """Take what a watcher reports."""
        if changes.rescan:
            self.rescan(changes.reason)
        else:
            self.changed(changes.paths)

    def rescan(self, cause: str) -> None:
        """Anything may have changed: ignore rules, a branch, more events than the system could deliver."""
        with self._wake:
            self._everything = cause
            self._paused = False
            self._expect()
            if self._steps_aside:
                self._cancel.set()
            self._wake.notify_all()

    def cancel(self) -> None:
        """Stop what is being done, and leave the rest of it until `rescan`; changed files are still looked at."""
        with self._wake:
            self._paused = True
            self._everything = self._rest = ""
            self._cancel.set()
            self._wake.notify_all()

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Nothing begins and nothing ends while this is held."""
        return self._wake

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def unfinished(self) -> bool:
        """Whether a job that looks at everything is to come, or to be gone on with."""
        with self._wake:
            return bool(self._everything or self._rest or self._away)

    @property
    def pending(self) -> int:
        """Changes that were seen and not looked at yet; everything counts as one."""
        with self._wake:
            return len(self._paths) + bool(self._everything)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                report = self._perform(job)
                leaves_more = report is not None and self._leaves_more(job, report)
            except Exception as error:
                if not isinstance(error, C2llmError | OSError):
                    logger.exception("A job failed in a way that nobody foresaw.")
                self._on_event(Event("failed", job, error=error))
                self._retry(self._retry_after)
                continue
            if report is None:
                continue
            self._unreached = self._unreached or report.unreachable
            if report.cancelled:
                with self._wake:
                    self._rest = "" if self._paused else job.cause
                    self._paths.update(dict.fromkeys(job.paths or ()))  # a cancel is for the rest, not for these
                    self._expect()
            elif report.chunks_added:
                self._unsettled = True
            if leaves_more:
                with self._wake:
                    self._rest = self._rest or ("" if self._paused else job.cause)
            self._on_event(Event("busy" if report.busy else "done", job, report=report))
            if report.busy:
                self._retry(min(self._retry_after, BUSY_AFTER))

    def _leaves_more(self, job: Job, report: IndexReport) -> bool:
        """Whether chunks wait that did so before these files changed: they go on behind them."""
        return job.paths is not None and not (report.busy or report.unreachable or self._workspace.complete)

    def _next(self) -> Job | None:
        """Wait for the next job; None at the end."""
        with self._wake:
            while not self._due():
                quiet = self._quiet()
                if quiet is None:
                    self._on_rest()
                self._wake.wait_for(lambda quiet=quiet: self._due() or self._quiet() != quiet, timeout=quiet)  # type: ignore[misc]
                if self._due() or self._quiet() != quiet:
                    continue
                if self._unreached:
                    self._reach()
                if self._unsettled and not self._due():
                    self._settle()
            if self._stopping:
                return None
            self._cancel.clear()
            if self._paths and not self._everything:
                job = Job(tuple(self._paths), "files changed")
            else:
                job = Job(None, self._everything or self._rest)
                self._everything = self._rest = ""
            self._paths.clear()
            self._expect()
            return job

    def _expect(self) -> None:
        """Answers say what is known to have changed and was not looked at yet."""
        self._workspace.set_pending(len(self._paths) + self._elsewhere, more=bool(self._everything))

    def _due(self) -> bool:
        return bool(self._stopping or self._paths or self._everything or self._rest)

    def _quiet(self) -> float | None:
        """After how many seconds without a job there is something else to do."""
        return REACH_EVERY if self._unreached else self._settle_after if self._unsettled else None

    def _reach(self) -> None:
        """Go on with what waits for an encoder, once that can be had again."""
        self._wake.release()
        try:
            ready = self._workspace.encoder_ready
        except Exception:
            logger.exception("The encoder cannot be asked for.")
            ready = False
        finally:
            self._wake.acquire()
        if ready and not self._paused:
            self._unreached = False
            self._rest = self._rest or "the encoder can be reached"

    def _settle(self) -> None:
        """Upkeep at a quiet moment; whatever comes ends it."""
        self._unsettled = False
        self._steps_aside = True
        self._cancel.clear()
        self._wake.release()
        try:
            self._workspace.maintain(self._cancel)
        except Exception:  # a disk without room, a damaged file: the next job says so
            logger.exception("Upkeep failed; what it makes is only there to be faster.")
        finally:
            self._wake.acquire()
            self._steps_aside = False
            self._unsettled = self._cancel.is_set()

    def index_repaired(self) -> None:
        self.rescan("the index was repaired")

    def encoder_changed(self) -> None:
        self.rescan("the encoder changed")

    def encoder_unreachable(self) -> None:
        """Text of an open buffer waits for an encoder that could not be reached."""
        with self._wake:
            self._unreached = True
            self._wake.notify_all()

    def _perform(self, job: Job) -> IndexReport | None:
        """What was done; None where it was told already."""
        self._unreached = False
        if job.paths is not None:
            return self._workspace.changed(job.paths, self._cancel)
        try:
            most = None if self._helped_by is None else LARGE
            report = self._workspace.refresh(progress=self._progress_of(job), cancel=self._cancel, most=most)
            return self._have_done(job) if report.large else report
        finally:
            with self._wake:
                self._steps_aside = False

    def _have_done(self, job: Job) -> IndexReport | None:
        """Have a large job done by another process; here, where none can be started or it dies. None: all was told."""
        assert self._helped_by is not None
        self._away = True
        try:
            with self._workspace.delegate_writing():
                return self._follow_indexer(job, self._helped_by)
        except OSError as error:
            logger.warning("A large job is done by the process that answers questions: %s", error)
        finally:
            with self._wake:
                self._elsewhere, self._away = 0, False
                self._expect()
        return self._workspace.refresh(progress=self._progress_of(job), cancel=self._cancel)

    def _follow_indexer(self, job: Job, settings: Settings) -> IndexReport | None:
        """Start it, pass on what comes in and tell what it does, until it rests. Raises OSError where it cannot be
        started, ChildProcessError where it dies, StoreError for what it could not do.
        """
        from c2llm_lsp.session.index_process import Indexer, report_of

        news: deque[tuple[Any, ...] | None] = deque()

        def said(message: tuple[Any, ...] | None) -> None:
            with self._wake:
                news.append(message)
                self._wake.notify_all()

        indexer = Indexer(self._workspace.root, settings, said)
        untold: IndexReport | None = None
        try:
            while True:
                with self._wake:
                    self._wake.wait_for(lambda: news or self._due() or self._cancel.is_set())
                    if self._stopping:
                        return IndexReport(cancelled=True)
                    commands = self._handed_over()
                    message = news.popleft() if news else ()
                for command in commands:  # not under the lock: it may read no further until it is heard itself
                    indexer.tell(*command)
                match message:
                    case None:
                        raise indexer.death()
                    case ("rest", heard) if indexer.rests(heard):
                        return untold
                    case ("progress", stage, done, total):
                        self._told(job, stage, done, total)
                    case ("busy", _, _, report):
                        return report_of(report)
                    case ("failed", text):
                        raise StoreError(text)
                    case ("done", paths, cause, report):
                        untold = self._done(job if paths is None else Job(tuple(paths), cause), report_of(report))
        finally:
            indexer.close()

    def _done(self, job: Job, report: IndexReport) -> IndexReport | None:
        """Tell of a job that another process has done; one that was cut short is given back, for it may go on."""
        with self._wake:
            self._elsewhere = max(0, self._elsewhere - len(job.paths or ()))
            self._expect()
        if job.paths is None:
            if report.cancelled:
                return report
            self._away = False
            self._workspace.resume_writing()
        self._on_event(Event("done", job, report=report))
        return None

    def _handed_over(self) -> list[tuple[Any, ...]]:
        """What came in meanwhile, as commands to the other process."""
        commands: list[tuple[Any, ...]] = []
        if self._cancel.is_set():
            self._cancel.clear()
            commands.append(("cancel",))
        if self._paths:
            commands.append(("changed", list(self._paths)))
            self._elsewhere += len(self._paths)
        if self._everything:
            commands.append(("rescan", self._everything))
        self._paths.clear()
        self._everything = self._rest = ""
        return commands

    def _told(self, job: Job, stage: str, done: int, total: int) -> None:
        with self._wake:
            if stage == "words":
                self._elsewhere = total - done
            self._expect()
        self._on_event(Event("progress", job, stage=stage, done=done, total=total))

    def _progress_of(self, job: Job) -> Callable[[str, int, int], None]:
        def progress(stage: str, done: int, total: int) -> None:
            if stage == "vectors":  # everything before takes moments and would find the changed file anyway
                with self._wake:
                    self._steps_aside = True
                    if self._paths or self._everything:
                        self._cancel.set()
            self._on_event(Event("progress", job, stage=stage, done=done, total=total))

        return progress

    def _retry(self, seconds: float) -> None:
        """Look at everything again after a while: what failed one job may have hit others, a writer may be gone."""
        with self._wake:
            if not self._wake.wait_for(lambda: self._stopping, timeout=seconds):
                self._everything = self._everything or "retry"
