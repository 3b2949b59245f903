"""A live workspace: files change, the index follows, and there is one job at a time.

What is to be done is the job queue's business (job_queue.py); the job runner (job_runner.py) does it on the session's thread,
and reports what it does as typed events (events.py). A large full scan is done by an index process (index_process/), which
is passed what comes in meanwhile (delegation.py). All of them work on one state, under one condition (session_state.py).

`watch` prints the events, the language server tells its client of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from c2llm_lsp.session.events import Event, SessionStatus
from c2llm_lsp.session.job_queue import MAINTAIN_AFTER, PROBE_EVERY, VERIFY_AFTER, JobQueue
from c2llm_lsp.session.job_runner import RETRY_AFTER, JobRunner
from c2llm_lsp.session.session_state import SessionState

if TYPE_CHECKING:
    from c2llm_lsp.settings import Settings
    from retrieval.engine import Workspace
    from retrieval.files import ChangeBatch


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds."""

    retry: float = RETRY_AFTER  # until a job that failed is tried again
    maintain: float = MAINTAIN_AFTER  # of quiet before maintenance
    probe: float = PROBE_EVERY  # between two looks at whether a remote encoder is available again
    verify: float | None = VERIFY_AFTER  # until the index is verified for the first time; None: it never is


class Session:
    """Keeps the index of one workspace current on a thread of its own. Started once, stopped once."""

    def __init__(
        self,
        workspace: Workspace,
        on_event: Callable[[Event], None],
        *,
        process_settings: Settings | None = None,
        delays: Delays = Delays(),
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """With `process_settings` a large job is done by an index process that has these settings. `on_idle` is called
        whenever there is nothing more to do, maintenance included; the lock is held meanwhile.
        """
        queue = JobQueue(maintain_after=delays.maintain, probe_every=delays.probe, verify_after=delays.verify)
        self._workspace = workspace
        self._state = SessionState(workspace, queue, on_event)
        runner = JobRunner(self._state, process_settings, delays.retry, on_idle)
        self._thread = threading.Thread(target=runner.run, name="c2llm-session", daemon=True)
        workspace.set_listener(self)

    # -- its life ---------------------------------------------------------------------------------------------------

    def start(self, cause: str = "start") -> None:
        """Catch up with what changed while nobody looked, then wait for changes."""
        self.rescan(cause)
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the current step, waited for at most `patience` seconds; what is done is stored."""
        with self._state.wake:
            self._state.stopping = True
            self._state.stop_job.set()
            self._state.wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience)

    # -- requests, from any thread ----------------------------------------------------------------------------------

    def changed(self, paths: Iterable[str]) -> None:
        """Some files changed on disk."""
        with self._state.wake:
            self._state.queue.add_changed(paths)
            self._state.requested()

    def rescan(self, cause: str) -> None:
        """Compare everything with the disk; this ends a pause."""
        with self._state.wake:
            self._state.queue.resume(cause)
            self._state.queue.request_scan(cause)
            self._state.requested()

    def follow(self, changes: ChangeBatch) -> None:
        """Take what a watcher reports. While paused, a full scan waits for the end of the pause."""
        if not changes.rescan:
            self.changed(changes.paths)
            return
        with self._state.wake:
            self._state.queue.request_scan(changes.reason)
            self._state.requested()

    def hold(self, held: bool) -> None:
        """Files are changing, and a watcher reports them when that is over: answers say that they may be stale."""
        with self._state.wake:
            self._state.held = held
            self._state.report_pending()

    def pause(self) -> None:
        """Stop what is being done, and leave the rest of it until `resume` or `rescan`; changed files are still indexed."""
        with self._state.wake:
            self._state.queue.pause()
            self._state.requested()

    def resume(self) -> None:
        """Go on with what was paused."""
        with self._state.wake:
            self._state.queue.resume("resumed")
            self._state.requested()

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
        with self._state.wake:  # a pause holds it back: to embed everything is what was paused
            self._state.queue.request_scan("the encoder changed")
            self._state.requested()

    def encoder_unreachable(self) -> None:
        with self._state.wake:
            self._state.queue.request_probe(time.monotonic())
            self._state.wake.notify_all()

    # -- what it is doing -------------------------------------------------------------------------------------------

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Nothing begins and nothing ends while this is held."""
        return self._state.wake

    @property
    def status(self) -> SessionStatus:
        return self._state.status
