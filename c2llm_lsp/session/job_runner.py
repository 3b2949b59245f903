"""Does the jobs of a session's queue on the workspace, one at a time, on the session's thread; reports them as events."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from c2llm_lsp.session.delegation import delegate
from c2llm_lsp.session.events import Busy, Done, Failed, Progress, State
from c2llm_lsp.session.job_queue import (
    EncoderProbe,
    FilesChanged,
    FullScan,
    IndexJob,
    Job,
    Maintenance,
    Verification,
    Wait,
)
from c2llm_lsp.session.session_state import SessionState
from retrieval.errors import C2llmError, StorageFullError
from retrieval.types import IndexReport

if TYPE_CHECKING:
    from c2llm_lsp.settings import Settings

logger = logging.getLogger(__name__)

LARGE = 200  # files to read, from which on an index process does it; it takes a second to start
RETRY_AFTER = 5.0  # seconds until a job that failed is tried again
BUSY_AFTER = 1.0  # the same where another process is writing: when that dies, this one takes over


class JobRunner:
    """`run` is the session's thread."""

    def __init__(
        self,
        state: SessionState,
        process_settings: Settings | None,
        retry_after: float,
        on_idle: Callable[[], None],
    ) -> None:
        """With `process_settings` a large job is done by an index process that has these settings."""
        self._state, self._process_settings = state, process_settings
        self._retry_after, self._on_idle = retry_after, on_idle

    def run(self) -> None:
        """Until the session stops."""
        while (job := self._await_job()) is not None:
            match job:
                case Maintenance():
                    self._maintain()
                case Verification():
                    self._verify()
                case EncoderProbe():
                    self._probe()
                case _:
                    self._index(job)

    def _await_job(self) -> Job | None:
        """Wait for the next job; None at the end."""
        while True:
            self._state.report_pause()
            with self._state.wake:
                if self._state.stopping:
                    return None
                if self._state.queue.paused != self._state.pause_reported:
                    continue
                now = time.monotonic()
                job = self._state.queue.next(now)
                if not isinstance(job, Wait):
                    self._state.stop_job.clear()
                    if isinstance(job, FullScan):
                        self._state.left_files = 0  # it finds them
                    self._state.report_pending()
                    return job
                if job.until is None or job.idle:
                    self._on_idle()
                self._state.wake.wait(None if job.until is None else max(0.0, job.until - now))

    def _index(self, job: IndexJob) -> None:
        try:
            report = self._perform(job)
            incomplete = self._leaves_more(job, report)
        except Exception as error:
            if not isinstance(error, C2llmError | OSError):
                logger.exception("Unexpected error in an index job.")
            self._end_failed("failed", self._retry_after)
            self._state.on_event(Failed(job, error))
            return
        if report.busy:
            self._end_failed("following", min(self._retry_after, BUSY_AFTER))
            self._state.on_event(Busy(job, report))
            return
        with self._state.wake:
            told, self._state.delegation = self._state.delegation is not None, None
            self._state.queue.finish(
                time.monotonic(),
                interrupted=report.cancelled,
                incomplete=incomplete,
                # An index process does it by itself, unless a pause has held it back.
                maintain=self._state.queue.paused if told else bool(report.chunks_added or report.chunks_embedded),
                unreachable=report.unreachable,
            )
            self._state.trouble = None
            if isinstance(job, FullScan) and not report.cancelled:
                self._state.progress = None
            self._state.report_pending()
        if not told:
            self._state.on_event(Done(job, report))

    def _end_failed(self, trouble: State, retry_after: float) -> None:
        with self._state.wake:
            if self._state.delegation is not None:
                self._state.queue.add_changed(self._state.delegation.paths)
                self._state.delegation = None
            self._state.queue.finish_failed(time.monotonic(), retry_after)
            self._state.trouble, self._state.progress = trouble, None
            self._state.report_pending()

    def _leaves_more(self, job: IndexJob, report: IndexReport) -> bool:
        """Whether chunks wait that did so before these files changed: they go on behind them."""
        return isinstance(job, FilesChanged) and not (
            report.busy or report.unreachable or self._state.workspace.complete
        )

    def _perform(self, job: IndexJob) -> IndexReport:
        """Do a job here or by an index process; what that did has been told if there is a delegation afterwards.

        Raises StorageFullError for an index that can only be read: the job is tried again until it can be written.
        """
        report = self._perform_here_or_there(job)
        if self._state.workspace.store.read_only:
            raise StorageFullError(" ".join(report.notes))
        return report

    def _perform_here_or_there(self, job: IndexJob) -> IndexReport:
        if isinstance(job, FilesChanged):
            return self._state.workspace.changed(job.paths, self._state.stop_job)
        settings = self._process_settings
        progress = self._progress_of(job)
        most = None if settings is None else LARGE
        report = self._state.workspace.refresh(progress=progress, cancel=self._state.stop_job, most=most)
        if settings is None or not report.large:
            return report
        try:
            with self._state.workspace.writer.delegate_writing():
                return delegate(self._state, job, settings)
        except OSError as error:
            logger.warning("The process that answers queries does a large index job itself: %s", error)
        with self._state.wake:
            delegation, self._state.delegation = self._state.delegation, None
            if self._state.queue.paused and delegation is not None:  # it died after it was told to pause
                self._state.queue.add_changed(delegation.paths)
                self._state.left_files = delegation.left_files
                return IndexReport(cancelled=True)
            if not self._state.stopping:
                self._state.stop_job.clear()
            self._state.requested()
        return self._state.workspace.refresh(progress=progress, cancel=self._state.stop_job)

    def _progress_of(self, job: FullScan) -> Callable[[str, int, int], None]:
        def progress(stage: str, done: int, total: int) -> None:
            with self._state.wake:
                self._state.progress = event = Progress(job, stage, done, total)
                if stage == "vectors":  # everything before takes moments and would find the changed file anyway
                    self._state.queue.files_stored()
                    self._state.requested()
            self._state.on_event(event)

        return progress

    def _maintain(self) -> None:
        """At a quiet moment; whatever comes in ends it."""
        try:
            self._state.workspace.maintain(self._state.stop_job)
        except Exception:  # a disk without room, a damaged file: the next job says so
            logger.exception("Maintenance failed; searches are slower without it, and no less right.")
        with self._state.wake:
            self._state.queue.finish_upkeep(time.monotonic(), interrupted=self._state.stop_job.is_set())

    def _verify(self) -> None:
        """At a quiet moment; whatever comes in ends it. What it repairs the listener reports."""
        try:
            self._state.workspace.verifier.run(self._state.stop_job)
        except (C2llmError, OSError) as error:
            logger.warning("The index could not be verified: %s", error)
        except Exception:
            logger.exception("Unexpected error while the index was verified.")
        with self._state.wake:
            self._state.queue.finish_upkeep(time.monotonic(), interrupted=self._state.stop_job.is_set())

    def _probe(self) -> None:
        """Go on with what waits for an encoder, once that is available again."""
        try:
            available = self._state.workspace.encoders.available
        except Exception:
            logger.exception("Looking for the encoder failed.")
            available = False
        with self._state.wake:
            self._state.queue.finish_probe(time.monotonic(), available=available)
