"""What a session has to do, as a data structure: no threads, no clock (the time is passed in), no workspace.

Requests do not queue up, they merge: paths that change while a job runs become one next job, and a full scan swallows
them. The latest request wins: a running full scan yields to a request once its files are stored (only embedding is
left) and is taken up again behind it, because what is embedded is stored. Whoever works on the queue asks `next` for a
job, ends each with one of the `finish` methods, and stops a running job as soon as `interrupts` is true.

A pause interrupts the running job and holds everything back but changed files, until `resume`. A path is pending until a
job has stored it: one that was interrupted or failed gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAINTAIN_AFTER = 3.0  # seconds of quiet before maintenance
VERIFY_AFTER = 60.0  # seconds until the index is verified for the first time; it says itself how often it is worth it
VERIFY_EVERY = 3_600.0
PROBE_EVERY = 1.0  # seconds between two looks at whether an encoder that runs elsewhere is available again
RETRY = "retry"  # the cause of the scan that follows a failure


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Index these paths."""

    paths: tuple[str, ...]
    cause: str = "files changed"


@dataclass(frozen=True, slots=True)
class FullScan:
    """Compare the whole tree with the index, and embed whatever has no vector."""

    cause: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Compact what was written, at a quiet moment."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Compare the index with itself and with the disk, at a quiet moment."""


@dataclass(frozen=True, slots=True)
class EncoderProbe:
    """Look whether an encoder that could not be reached is available again."""


IndexJob = FilesChanged | FullScan
Job = FilesChanged | FullScan | Maintenance | Verification | EncoderProbe


@dataclass(frozen=True, slots=True)
class Wait:
    """There is no job until then; None: until the next request. `idle`: nothing is left but what is done now and then."""

    until: float | None
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Requests:
    """What came in while another process does the running job."""

    pause: bool = False
    paths: tuple[str, ...] = ()
    scan: str = ""  # the cause of a full scan; empty: none was requested


class JobQueue:
    """Not safe to use from many threads: its owner has a lock."""

    def __init__(
        self,
        *,
        maintain_after: float = MAINTAIN_AFTER,
        probe_every: float = PROBE_EVERY,
        verify_after: float | None = None,
    ) -> None:
        """`verify_after` None: the index is never verified."""
        self._maintain_after, self._probe_every, self._verify_after = maintain_after, probe_every, verify_after
        self._changed: dict[str, None] = {}  # a dict keeps their order
        self._scan = ""  # the cause of a requested full scan
        self._resume = ""  # the cause of an interrupted one, which goes on behind everything else
        self._paused = False
        self._not_before: float | None = None  # after a failure nothing is begun before this moment
        self._maintenance_due: float | None = None
        self._probe_due: float | None = None
        self._verification_due: float | None = None
        self._running: Job | None = None
        self._pause_running = False  # a pause that the running job has not answered yet
        self._yields = False  # whether the running job steps aside for a request
        self._swallowed: tuple[
            str, ...
        ] = ()  # changed paths that the running scan stands for, until it has stored them

    # -- requests ---------------------------------------------------------------------------------------------------

    def add_changed(self, paths: Iterable[str]) -> None:
        """These paths changed on disk."""
        self._changed.update(dict.fromkeys(paths))

    def request_scan(self, cause: str) -> None:
        """Anything may have changed. What failed before is tried at once."""
        self._scan = cause
        self._not_before = None

    def pause(self) -> None:
        """Stop the running job; do nothing but index changed files until `resume`."""
        self._paused = True
        self._scan = self._resume = ""
        self._pause_running = isinstance(self._running, FilesChanged | FullScan | Maintenance | Verification)

    def resume(self, cause: str) -> None:
        """End a pause with a full scan, which goes on with whatever was interrupted. Without a pause nothing happens."""
        if self._paused:
            self._paused = False
            self.request_scan(self._scan or cause)

    def request_probe(self, now: float) -> None:
        """Something waits for an encoder that could not be reached."""
        if self._probe_due is None:
            self._probe_due = now + self._probe_every

    # -- what is pending --------------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def running(self) -> Job | None:
        return self._running

    @property
    def changed_count(self) -> int:
        """Paths that changed and that no job has begun to look at."""
        return len(self._changed)

    @property
    def scan_requested(self) -> bool:
        """Whether a full scan was requested and has not begun."""
        return bool(self._scan)

    @property
    def has_index_work(self) -> bool:
        """Whether a job that indexes is to come, now or after a failure."""
        return bool(self._changed) or self.has_scan

    @property
    def has_scan(self) -> bool:
        """Whether a full scan is to come, or to be gone on with."""
        return not self._paused and bool(self._scan or self._resume)

    @property
    def has_requests(self) -> bool:
        """Whether something has come in that `take_requests` would pass on."""
        return bool(self._pause_running or self._changed or (self._scan and not self._paused))

    @property
    def interrupts(self) -> bool:
        """Whether the running job is to stop for what has come in."""
        if self._running is None:
            return False
        return self._pause_running or (self._yields and bool(self._changed or (self._scan and not self._paused)))

    # -- jobs -------------------------------------------------------------------------------------------------------

    def next(self, now: float) -> Job | Wait:
        """The job to do now, which counts as running from here on, or how long there is none."""
        assert self._running is None
        if self.has_index_work:
            if self._not_before is not None and now < self._not_before:
                return Wait(self._not_before)
            self._not_before = None
            self._probe_due = None  # the job's report says whether the encoder was there
            return self._begin(self._index_job())
        if self._paused:
            return Wait(None)
        return self._next_upkeep(now)

    def _next_upkeep(self, now: float) -> Job | Wait:
        """The job of a quiet moment. Verification comes last, and does not count as something to do."""
        if self._probe_due is not None and self._probe_due <= now:
            return self._begin(EncoderProbe())
        if self._maintenance_due is not None and self._maintenance_due <= now:
            return self._begin(Maintenance(), yields=True)
        due = min((due for due in (self._probe_due, self._maintenance_due) if due is not None), default=None)
        if due is not None or self._verification_due is None:
            return Wait(due)
        if self._verification_due <= now:
            return self._begin(Verification(), yields=True)
        return Wait(self._verification_due, idle=True)

    def files_stored(self) -> None:
        """The running full scan has stored its files and goes on to embed: it yields to requests from now on."""
        self._yields, self._swallowed = True, ()

    def take_requests(self) -> Requests:
        """What is to be passed on to the process that does the running job."""
        scan = "" if self._paused else self._scan
        requests = Requests(self._pause_running, self._take_changed(), scan)
        self._pause_running = False
        if scan:
            self._scan = self._resume = ""
        return requests

    def finish(
        self,
        now: float,
        *,
        interrupted: bool = False,
        incomplete: bool = False,
        maintain: bool = False,
        unreachable: bool = False,
    ) -> None:
        """The running job ended. `incomplete`: chunks wait that did so before its files changed; `maintain`: it wrote
        something that maintenance makes faster; `unreachable`: chunks wait for the encoder.
        """
        job = self._end()
        assert isinstance(job, FilesChanged | FullScan)
        if interrupted:
            self._put_back(self._paths_of(job))
        if (interrupted or incomplete) and not self._paused:
            self._resume = self._resume or job.cause
        if maintain or self._maintenance_due is not None:
            self._maintenance_due = now + self._maintain_after
        if self._verification_due is None and self._verify_after is not None:
            self._verification_due = now + self._verify_after
        if unreachable:
            self.request_probe(now)

    def finish_upkeep(self, now: float, *, interrupted: bool) -> None:
        """Maintenance or verification ended; what interrupted it does not replace it."""
        if isinstance(self._end(), Maintenance):
            self._maintenance_due = now + self._maintain_after if interrupted else None
        else:
            assert self._verify_after is not None
            self._verification_due = now + (self._verify_after if interrupted else VERIFY_EVERY)

    def finish_probe(self, now: float, *, available: bool) -> None:
        """The encoder was looked for."""
        self._end()
        if not available:
            self._probe_due = now + self._probe_every
            return
        self._probe_due = None
        if not self._paused:
            self._resume = self._resume or "the encoder is available again"

    def finish_failed(self, now: float, retry_after: float) -> None:
        """The running job failed, or another process is writing: a full scan tries again after a while, since what
        failed one job may have failed others. While paused only its changed files are tried again.
        """
        self._put_back(self._paths_of(self._end()))
        self._not_before = now + retry_after
        if not self._paused:
            self._scan = self._scan or RETRY

    def _index_job(self) -> IndexJob:
        if self._changed and (self._paused or not self._scan):
            return FilesChanged(self._take_changed())
        job = FullScan(self._scan or self._resume)
        self._swallowed = self._take_changed()
        self._scan = self._resume = ""
        return job

    def _paths_of(self, job: Job) -> tuple[str, ...]:
        """The changed paths that the running job has not stored."""
        return job.paths if isinstance(job, FilesChanged) else self._swallowed

    def _take_changed(self) -> tuple[str, ...]:
        paths = tuple(self._changed)
        self._changed.clear()
        return paths

    def _put_back(self, paths: Iterable[str]) -> None:
        self._changed = dict.fromkeys((*paths, *self._changed))

    def _begin(self, job: Job, *, yields: bool = False) -> Job:
        self._running, self._yields, self._pause_running = job, yields, False
        if not isinstance(job, FullScan):
            self._swallowed = ()
        return job

    def _end(self) -> Job:
        assert self._running is not None
        job, self._running = self._running, None
        self._yields = self._pause_running = False
        return job
