"""What the threads of a session share: what is to be done, what is being done, and how far that is.

The session changes it on behalf of its callers, the job runner and the delegation on the session's own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from c2llm_lsp.session.delegation_progress import DelegationProgress
from c2llm_lsp.session.events import STATE_OF_STAGE, Event, Progress, SessionStatus, State, StateChanged
from c2llm_lsp.session.job_queue import FilesChanged, FullScan, JobQueue, Maintenance

if TYPE_CHECKING:
    from retrieval.engine import Workspace


class SessionState:
    """Everything is read and written under `wake`, which is notified when something came in."""

    def __init__(self, workspace: Workspace, queue: JobQueue, on_event: Callable[[Event], None]) -> None:
        self.workspace, self.on_event = workspace, on_event
        self.wake = threading.Condition()  # guards all below
        self.queue = queue
        self.stopping = False
        self.delegation: DelegationProgress | None = None
        self.left_files = 0  # that an index process left when it was paused
        self.progress: Progress | None = None  # of a full scan that has not ended, perhaps interrupted
        self.trouble: State | None = None  # what kept the last job from its work
        self.pause_reported = False
        self.held = False  # whether a watcher holds changes back
        self.stop_job = threading.Event()  # the cancel token of the running job

    @property
    def status(self) -> SessionStatus:
        with self.wake:
            progress = self.progress
            return SessionStatus(
                state=self._state(),
                stage=progress.stage if progress else "",
                done=progress.done if progress else 0,
                total=progress.total if progress else 0,
                pending_changes=self._pending_files(),
                scan_pending=self.queue.scan_requested,
            )

    def requested(self) -> None:
        """Something came in: answers say so, and the running job stops where it has to. Called under `wake`."""
        self.report_pending()
        if self.queue.interrupts:
            self.stop_job.set()
        self.wake.notify_all()

    def report_pending(self) -> None:
        """Answers say what is known to have changed and is not indexed yet. Called under `wake`."""
        self.workspace.writer.set_pending(self._pending_files(), more=self.queue.scan_requested or self.held)

    def report_pause(self) -> None:
        """A pause, or its end, is an event of its own: there may be no job that reports it. Called without `wake`."""
        with self.wake:
            reported, self.pause_reported = self.pause_reported, self.queue.paused
        if reported != self.pause_reported:
            self.on_event(StateChanged(self.status))

    def _state(self) -> State:
        queue, delegation = self.queue, self.delegation
        running = queue.running
        scanning = isinstance(running, FullScan) and (delegation is None or delegation.scanning)
        if queue.paused and not scanning:  # until then the scan is at its last batch
            return "paused"
        if self.trouble is not None and not isinstance(running, FilesChanged | FullScan):
            return self.trouble
        if scanning or queue.has_scan or (delegation is not None and delegation.interrupted):
            return STATE_OF_STAGE.get(self.progress.stage, "scanning") if self.progress else "scanning"
        if isinstance(running, FilesChanged):
            return "indexing"
        return "maintaining" if isinstance(running, FullScan | Maintenance) else "idle"

    def _pending_files(self) -> int:
        delegated = self.delegation.pending_files if self.delegation is not None else self.left_files
        return self.queue.changed_count + delegated
