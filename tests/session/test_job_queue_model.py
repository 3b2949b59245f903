"""The job queue against a plain model, through any sequence of requests, jobs, failures and moments."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from c2llm_lsp.session.job_queue import EncoderProbe, FilesChanged, FullScan, JobQueue, Maintenance, Verification, Wait

PATHS = st.sampled_from("abcdef")
CAUSES = st.sampled_from(["branch", "ignore rules", "asked"])


class QueueMachine(RuleBasedStateMachine):
    """The model: paths whose present content no job has stored, whether the tree has to be scanned, and whether it is
    paused. A job counts as done only when it ends by itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.queue = JobQueue(maintain_after=3.0, probe_every=1.0, verify_after=8.0)
        self.now = 0.0
        self.unstored: set[str] = set()  # without those that the running job may store
        self.in_job: set[str] = set()
        self.stale_tree = False  # whether a full scan is owed
        self.cause = ""  # of the last scan that was requested, until it begins
        self.paused = False
        self.not_before = 0.0

    # -- requests ---------------------------------------------------------------------------------------------------

    @rule(paths=st.lists(PATHS, min_size=1))
    def change(self, paths: list[str]) -> None:
        self.queue.add_changed(paths)
        self.unstored |= set(paths)

    @rule(cause=CAUSES)
    def request_scan(self, cause: str) -> None:
        self.queue.request_scan(cause)
        self.stale_tree, self.cause, self.not_before = True, cause, 0.0

    @rule()
    def pause(self) -> None:
        self.queue.pause()
        self.paused, self.stale_tree, self.cause = True, False, ""  # its rest is left until somebody resumes
        if isinstance(self.queue.running, FilesChanged | FullScan | Maintenance | Verification):
            assert self.queue.interrupts

    @rule()
    def resume(self) -> None:
        self.queue.resume("resumed")
        if self.paused:
            self.paused, self.stale_tree, self.not_before = False, True, 0.0
            self.cause = self.cause or "resumed"

    @rule()
    def encoder_is_missed(self) -> None:
        self.queue.request_probe(self.now)

    @rule(seconds=st.floats(0.0, 10.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # -- jobs -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.queue.running is None)
    @rule()
    def begin(self) -> None:
        job = self.queue.next(self.now)
        match job:
            case Wait(until):
                owed = bool(self.unstored) or (self.stale_tree and not self.paused)
                assert until is None or until > self.now
                if owed:
                    assert until is not None and self.now < self.not_before, "work is owed and nothing is done"
            case FilesChanged(paths):
                assert self.now >= self.not_before
                assert set(paths) == self.unstored
                assert self.paused or not self.queue.scan_requested
                self.in_job, self.unstored = set(paths), set()
            case FullScan(cause):
                assert self.now >= self.not_before
                assert not self.paused
                assert not self.cause or cause == self.cause, "the latest request wins"
                self.in_job, self.unstored = self.unstored, set()
                self.stale_tree, self.cause = False, ""
            case Maintenance() | Verification() | EncoderProbe():
                assert not self.paused
                assert not self.unstored and not self.stale_tree

    @precondition(lambda self: isinstance(self.queue.running, FullScan))
    @rule()
    def files_are_stored(self) -> None:
        self.queue.files_stored()
        self.in_job = set()
        assert self.queue.interrupts or not (self.unstored or (self.cause and not self.paused))

    @precondition(lambda self: isinstance(self.queue.running, FilesChanged | FullScan))
    @rule(maintain=st.booleans(), unreachable=st.booleans(), incomplete=st.booleans())
    def end(self, maintain: bool, unreachable: bool, incomplete: bool) -> None:
        self.queue.finish(self.now, maintain=maintain, unreachable=unreachable, incomplete=incomplete)
        self.stale_tree = self.stale_tree or (incomplete and not self.paused)
        self.in_job = set()

    @precondition(lambda self: isinstance(self.queue.running, FilesChanged | FullScan) and self.queue.interrupts)
    @rule()
    def end_interrupted(self) -> None:
        self.queue.finish(self.now, interrupted=True)
        self.give_back()

    @precondition(lambda self: isinstance(self.queue.running, FilesChanged | FullScan))
    @rule()
    def fail(self) -> None:
        self.queue.finish_failed(self.now, 5.0)
        self.not_before = self.now + 5.0
        self.give_back()

    def give_back(self) -> None:
        self.unstored |= self.in_job
        self.stale_tree = self.stale_tree or not self.paused
        self.in_job = set()

    @precondition(lambda self: isinstance(self.queue.running, Maintenance | Verification))
    @rule()
    def end_upkeep(self) -> None:
        self.queue.finish_upkeep(self.now, interrupted=self.queue.interrupts)

    @precondition(lambda self: isinstance(self.queue.running, EncoderProbe))
    @rule(available=st.booleans())
    def end_probe(self, available: bool) -> None:
        self.queue.finish_probe(self.now, available=available)
        self.stale_tree = self.stale_tree or (available and not self.paused)

    @precondition(lambda self: isinstance(self.queue.running, FullScan))
    @rule()
    def hand_over(self) -> None:
        """Another process does the scan, and now this too."""
        requests = self.queue.take_requests()
        assert set(requests.paths) == self.unstored
        assert requests.scan == ("" if self.paused else self.cause)
        self.unstored = set()
        if requests.scan:
            self.cause, self.stale_tree = "", False

    # -- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def counts_are_true(self) -> None:
        assert self.queue.changed_count == len(self.unstored)
        assert self.queue.paused == self.paused
        assert self.queue.scan_requested or not self.cause
        assert self.queue.has_scan == (self.stale_tree and not self.paused)


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestQueue = QueueMachine.TestCase
