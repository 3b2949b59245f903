"""A live workspace: files change, the index follows, and there is one job at a time.

What is to be done is the job queue's business (job_queue.py); the session is its thread and its lock, does the jobs on the
workspace, and tells what it does as typed events (events.py), which come on its thread. A large full scan is done by an
index process (index_process/), which is passed what comes in meanwhile.

`watch` prints the events, the language server tells its client of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from c2llm_lsp.session.delegation import Delegation
from c2llm_lsp.session.events import (
    STATE_OF_STAGE,
    Busy,
    Done,
    Event,
    Failed,
    Progress,
    SessionStatus,
    State,
    StateChanged,
)
from c2llm_lsp.session.index_process import messages
from c2llm_lsp.session.index_process.parent import IndexProcess
from c2llm_lsp.session.job_queue import (
    MAINTAIN_AFTER,
    PROBE_EVERY,
    EncoderProbe,
    FilesChanged,
    FullScan,
    IndexJob,
    Job,
    JobQueue,
    Maintenance,
    Wait,
)
from retrieval.errors import C2llmError, StoreError
from retrieval.types import IndexReport

if TYPE_CHECKING:
    from c2llm_lsp.settings import Settings
    from retrieval.engine import Workspace
    from retrieval.files import ChangeBatch

logger = logging.getLogger(__name__)

LARGE = 200  # files to read, from which on an index process does it; it takes a second to start
RETRY_AFTER = 5.0  # seconds until a job that failed is tried again
BUSY_AFTER = 1.0  # the same where another process is writing: when that dies, this one takes over


class Session:
    """Keeps the index of one workspace current on a thread of its own. Started once, stopped once."""

    def __init__(
        self,
        workspace: Workspace,
        on_event: Callable[[Event], None],
        *,
        process_settings: Settings | None = None,
        retry_after: float = RETRY_AFTER,
        maintain_after: float = MAINTAIN_AFTER,
        probe_every: float = PROBE_EVERY,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """With `process_settings` a large job is done by an index process that has these settings. `on_idle` is called
        whenever there is nothing more to do, maintenance included; the lock is held meanwhile.
        """
        self._workspace = workspace
        self._process_settings = process_settings
        self._on_event, self._on_idle = on_event, on_idle
        self._retry_after = retry_after
        self._wake = threading.Condition()  # guards all below
        self._queue = JobQueue(maintain_after=maintain_after, probe_every=probe_every)
        self._stopping = False
        self._delegation: Delegation | None = None
        self._left_files = 0  # that an index process left when it was paused
        self._progress: Progress | None = None  # of a full scan that has not ended, perhaps interrupted
        self._trouble: State | None = None  # what kept the last job from its work
        self._paused_told = False
        self._stop_job = threading.Event()  # the cancel token of the running job
        self._thread = threading.Thread(target=self._run, name="c2llm-session", daemon=True)
        workspace.set_listener(self)

    # -- its life ---------------------------------------------------------------------------------------------------

    def start(self, cause: str = "start") -> None:
        """Catch up with what changed while nobody looked, then wait for changes."""
        self.rescan(cause)
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the current step, waited for at most `patience` seconds; what is done is stored."""
        with self._wake:
            self._stopping = True
            self._stop_job.set()
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience)

    # -- requests, from any thread ----------------------------------------------------------------------------------

    def changed(self, paths: Iterable[str]) -> None:
        """Some files changed on disk."""
        with self._wake:
            self._queue.add_changed(paths)
            self._requested()

    def rescan(self, cause: str) -> None:
        """Compare everything with the disk; this ends a pause."""
        with self._wake:
            self._queue.resume(cause)
            self._queue.request_scan(cause)
            self._requested()

    def follow(self, changes: ChangeBatch) -> None:
        """Take what a watcher reports. While paused, a full scan waits for the end of the pause."""
        if not changes.rescan:
            self.changed(changes.paths)
            return
        with self._wake:
            self._queue.request_scan(changes.reason)
            self._requested()

    def pause(self) -> None:
        """Stop what is being done, and leave the rest of it until `resume` or `rescan`; changed files are still indexed."""
        with self._wake:
            self._queue.pause()
            self._requested()

    def resume(self) -> None:
        """Go on with what was paused."""
        with self._wake:
            self._queue.resume("resumed")
            self._requested()

    def set_buffer(self, path: str, text: str) -> int:
        """Search unsaved text of an open buffer in place of its file. How many chunks were embedded for it."""
        return self._workspace.set_buffer(path, text)

    def close_buffer(self, path: str) -> None:
        """A buffer was closed: its file counts again."""
        self._workspace.close_buffer(path)

    # -- what the workspace tells, on any thread --------------------------------------------------------------------

    def index_repaired(self) -> None:
        self.rescan("the index was repaired")

    def encoder_changed(self) -> None:
        with self._wake:  # a pause holds it back: to embed everything is what was paused
            self._queue.request_scan("the encoder changed")
            self._requested()

    def encoder_unreachable(self) -> None:
        with self._wake:
            self._queue.request_probe(time.monotonic())
            self._wake.notify_all()

    # -- what it is doing -------------------------------------------------------------------------------------------

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Nothing begins and nothing ends while this is held."""
        return self._wake

    @property
    def status(self) -> SessionStatus:
        with self._wake:
            progress = self._progress
            return SessionStatus(
                state=self._state(),
                stage=progress.stage if progress else "",
                done=progress.done if progress else 0,
                total=progress.total if progress else 0,
                pending_changes=self._pending_files(),
                scan_pending=self._queue.scan_requested,
            )

    def _state(self) -> State:
        queue, delegation = self._queue, self._delegation
        running = queue.running
        scanning = isinstance(running, FullScan) and (delegation is None or delegation.scanning)
        if queue.paused and not scanning:  # until then the scan is at its last batch
            return "paused"
        if self._trouble is not None and not isinstance(running, FilesChanged | FullScan):
            return self._trouble
        if scanning or queue.has_scan or (delegation is not None and delegation.interrupted):
            return STATE_OF_STAGE.get(self._progress.stage, "scanning") if self._progress else "scanning"
        if isinstance(running, FilesChanged):
            return "indexing"
        return "maintaining" if isinstance(running, FullScan | Maintenance) else "idle"

    def _pending_files(self) -> int:
        delegated = self._delegation.pending_files if self._delegation is not None else self._left_files
        return self._queue.changed_count + delegated

    def _requested(self) -> None:
        """Something came in: answers say so, and the running job stops where it has to."""
        self._tell_pending()
        if self._queue.interrupts:
            self._stop_job.set()
        self._wake.notify_all()

    def _tell_pending(self) -> None:
        """Answers say what is known to have changed and is not indexed yet."""
        self._workspace.set_pending(self._pending_files(), more=self._queue.scan_requested)

    # -- jobs, on its own thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._await_job()) is not None:
            match job:
                case Maintenance():
                    self._maintain()
                case EncoderProbe():
                    self._probe()
                case _:
                    self._index(job)

    def _await_job(self) -> Job | None:
        """Wait for the next job; None at the end."""
        while True:
            self._tell_pause()
            with self._wake:
                if self._stopping:
                    return None
                if self._queue.paused != self._paused_told:
                    continue
                now = time.monotonic()
                job = self._queue.next(now)
                if not isinstance(job, Wait):
                    self._stop_job.clear()
                    if isinstance(job, FullScan):
                        self._left_files = 0  # it finds them
                    self._tell_pending()
                    return job
                if job.until is None:
                    self._on_idle()
                self._wake.wait(None if job.until is None else max(0.0, job.until - now))

    def _tell_pause(self) -> None:
        """A pause, or its end, is an event of its own: there may be no job that tells it."""
        with self._wake:
            told, self._paused_told = self._paused_told, self._queue.paused
        if told != self._paused_told:
            self._on_event(StateChanged(self.status))

    def _index(self, job: IndexJob) -> None:
        try:
            report = self._perform(job)
            incomplete = self._leaves_more(job, report)
        except Exception as error:
            if not isinstance(error, C2llmError | OSError):
                logger.exception("Unexpected error in an index job.")
            self._end_failed("failed", self._retry_after)
            self._on_event(Failed(job, error))
            return
        if report.busy:
            self._end_failed("following", min(self._retry_after, BUSY_AFTER))
            self._on_event(Busy(job, report))
            return
        with self._wake:
            told, self._delegation = self._delegation is not None, None
            self._queue.finish(
                time.monotonic(),
                interrupted=report.cancelled,
                incomplete=incomplete,
                # An index process does it by itself, unless a pause has held it back.
                maintain=self._queue.paused if told else bool(report.chunks_added or report.chunks_embedded),
                unreachable=report.unreachable,
            )
            self._trouble = None
            if isinstance(job, FullScan) and not report.cancelled:
                self._progress = None
            self._tell_pending()
        if not told:
            self._on_event(Done(job, report))

    def _end_failed(self, trouble: State, retry_after: float) -> None:
        with self._wake:
            if self._delegation is not None:
                self._queue.add_changed(self._delegation.paths)
                self._delegation = None
            self._queue.finish_failed(time.monotonic(), retry_after)
            self._trouble, self._progress = trouble, None
            self._tell_pending()

    def _leaves_more(self, job: IndexJob, report: IndexReport) -> bool:
        """Whether chunks wait that did so before these files changed: they go on behind them."""
        return isinstance(job, FilesChanged) and not (report.busy or report.unreachable or self._workspace.complete)

    def _perform(self, job: IndexJob) -> IndexReport:
        """Do a job here or by an index process; what that did has been told if there is a delegation afterwards."""
        if isinstance(job, FilesChanged):
            return self._workspace.changed(job.paths, self._stop_job)
        settings = self._process_settings
        progress = self._progress_of(job)
        most = None if settings is None else LARGE
        report = self._workspace.refresh(progress=progress, cancel=self._stop_job, most=most)
        if settings is None or not report.large:
            return report
        try:
            with self._workspace.delegate_writing():
                return self._delegate(job, settings)
        except OSError as error:
            logger.warning("The process that answers queries does a large index job itself: %s", error)
        with self._wake:
            delegation, self._delegation = self._delegation, None
            if self._queue.paused and delegation is not None:  # it died after it was told to pause
                self._queue.add_changed(delegation.paths)
                self._left_files = delegation.left_files
                return IndexReport(cancelled=True)
            if not self._stopping:
                self._stop_job.clear()
            self._requested()
        return self._workspace.refresh(progress=progress, cancel=self._stop_job)

    def _progress_of(self, job: FullScan) -> Callable[[str, int, int], None]:
        def progress(stage: str, done: int, total: int) -> None:
            with self._wake:
                self._progress = event = Progress(job, stage, done, total)
                if stage == "vectors":  # everything before takes moments and would find the changed file anyway
                    self._queue.files_stored()
                    self._requested()
            self._on_event(event)

        return progress

    def _maintain(self) -> None:
        """At a quiet moment; whatever comes in ends it."""
        try:
            self._workspace.maintain(self._stop_job)
        except Exception:  # a disk without room, a damaged file: the next job says so
            logger.exception("Maintenance failed; searches are slower without it, and no less right.")
        with self._wake:
            self._queue.finish_maintenance(time.monotonic(), interrupted=self._stop_job.is_set())

    def _probe(self) -> None:
        """Go on with what waits for an encoder, once that is available again."""
        try:
            available = self._workspace.encoder_ready
        except Exception:
            logger.exception("Looking for the encoder failed.")
            available = False
        with self._wake:
            self._queue.finish_probe(time.monotonic(), available=available)

    # -- a job that an index process does ---------------------------------------------------------------------------

    def _delegate(self, job: FullScan, settings: Settings) -> IndexReport:
        """Start an index process, pass on what comes in and tell what it does, until it is idle.

        Raises OSError where it cannot be started, ChildProcessError where it dies, StoreError for what it could not do.
        """
        reports: deque[messages.Report | None] = deque()

        def on_report(report: messages.Report | None) -> None:
            with self._wake:
                reports.append(report)
                self._wake.notify_all()

        process = IndexProcess(messages.Start(str(self._workspace.root), settings, job.cause), on_report)
        delegation = Delegation()
        with self._wake:
            self._delegation = delegation
        try:
            while True:
                self._tell_pause()
                with self._wake:
                    self._wake.wait_for(lambda: reports or self._stopping or self._queue.has_requests)
                    if self._stopping:
                        return IndexReport(cancelled=True)
                    commands = delegation.hand_over(self._queue.take_requests())
                    report = reports.popleft() if reports else ()
                for command in commands:  # not under the lock: it may read no further until its reports are read
                    process.send(command)
                match report:
                    case None:
                        raise process.death()
                    case messages.Failed(error):
                        raise StoreError(error)
                    case messages.Busy(busy):
                        return busy
                    case messages.Idle() if process.is_idle(report):
                        return self._end_delegation(delegation)
                    case messages.Progress() | messages.Done():
                        self._follow_process(job, delegation, report)
                    case _:
                        pass  # no report; or an idle one that crossed a command on its way
        finally:
            process.close()

    def _follow_process(self, job: FullScan, delegation: Delegation, report: messages.Progress | messages.Done) -> None:
        """Tell what the index process does as if this one did it."""
        event: Progress | Done
        scanned = False
        with self._wake:
            delegation.follow(report)
            if isinstance(report, messages.Progress):
                event = self._progress = Progress(job, report.stage, report.done, report.total)
                if report.stage == "vectors":
                    self._queue.files_stored()
            else:
                scanned = report.paths is None and not report.report.cancelled
                done = FullScan(report.cause) if report.paths is None else FilesChanged(report.paths, report.cause)
                event = Done(done, report.report)
                if scanned:
                    self._progress, self._trouble = None, None
            self._tell_pending()
        if scanned:
            self._workspace.resume_writing()
        self._on_event(event)

    def _end_delegation(self, delegation: Delegation) -> IndexReport:
        with self._wake:
            self._left_files = delegation.left_files
        return delegation.interrupted or IndexReport()
