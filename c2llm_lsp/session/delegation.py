"""A full scan that an index process does for a session: pass on what comes in, and report what it does as if it were done here."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from c2llm_lsp.session.delegation_progress import DelegationProgress
from c2llm_lsp.session.events import Done, Progress
from c2llm_lsp.session.index_process import messages
from c2llm_lsp.session.index_process.parent import IndexProcess
from c2llm_lsp.session.job_queue import FilesChanged, FullScan
from c2llm_lsp.session.session_state import SessionState
from retrieval.errors import StoreError
from retrieval.types import IndexReport

if TYPE_CHECKING:
    from c2llm_lsp.settings import Settings


def delegate(state: SessionState, job: FullScan, settings: Settings) -> IndexReport:
    """Start an index process, pass on what comes in and tell what it does, until it is idle.

    Raises OSError where it cannot be started, ChildProcessError where it dies, StoreError for what it could not do.
    """
    reports: deque[messages.Report | None] = deque()

    def on_report(report: messages.Report | None) -> None:
        with state.wake:
            reports.append(report)
            state.wake.notify_all()

    process = IndexProcess(messages.Start(str(state.workspace.root), settings, job.cause), on_report)
    delegation = DelegationProgress()
    with state.wake:
        state.delegation = delegation
    try:
        while True:
            state.report_pause()
            with state.wake:
                state.wake.wait_for(lambda: reports or state.stopping or state.queue.has_requests)
                if state.stopping:
                    return IndexReport(cancelled=True)
                commands = delegation.hand_over(state.queue.take_requests())
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
                    return _end(state, delegation)
                case messages.Progress() | messages.Done():
                    _follow(state, job, delegation, report)
                case _:
                    pass  # no report; or an idle one that crossed a command on its way
    finally:
        process.close()


def _follow(
    state: SessionState, job: FullScan, delegation: DelegationProgress, report: messages.Progress | messages.Done
) -> None:
    """Tell what the index process does as if this one did it."""
    event: Progress | Done
    scanned = False
    with state.wake:
        delegation.follow(report)
        if isinstance(report, messages.Progress):
            event = state.progress = Progress(job, report.stage, report.done, report.total)
            if report.stage == "vectors":
                state.queue.files_stored()
        else:
            scanned = report.paths is None and not report.report.cancelled
            done = FullScan(report.cause) if report.paths is None else FilesChanged(report.paths, report.cause)
            event = Done(done, report.report)
            if scanned:
                state.progress, state.trouble = None, None
        state.report_pending()
    if scanned:
        state.workspace.writer.resume_writing()
    state.on_event(event)


def _end(state: SessionState, delegation: DelegationProgress) -> IndexReport:
    with state.wake:
        state.left_files = delegation.left_files
    return delegation.interrupted or IndexReport()
