"""The job queue as a data structure: what merges, what goes first, what waits, and that nothing is lost."""

from __future__ import annotations

import pytest

from c2llm_lsp.session.job_queue import (
    RETRY,
    VERIFY_EVERY,
    EncoderProbe,
    FilesChanged,
    FullScan,
    JobQueue,
    Maintenance,
    Requests,
    Verification,
    Wait,
)

IDLE = Wait(None)


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue(maintain_after=3.0, probe_every=1.0)


def test_an_empty_queue_waits_for_a_request(queue: JobQueue) -> None:
    assert queue.next(0.0) == IDLE


def test_changed_paths_merge_into_one_job_in_the_order_of_their_first_change(queue: JobQueue) -> None:
    queue.add_changed(["b", "a"])
    queue.add_changed(["a", "c"])
    assert queue.changed_count == 3
    assert queue.next(0.0) == FilesChanged(("b", "a", "c"))
    assert queue.changed_count == 0


def test_a_full_scan_swallows_changed_paths_and_the_latest_cause_wins(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.request_scan("first")
    queue.request_scan("second")
    assert queue.next(0.0) == FullScan("second")
    queue.finish(0.0)
    assert queue.next(0.0) == IDLE


def test_a_scan_yields_to_a_request_once_its_files_are_stored(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.add_changed(["a"])
    assert not queue.interrupts
    queue.files_stored()
    assert queue.interrupts


def test_an_interrupted_scan_goes_on_behind_the_changed_files(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.files_stored()
    queue.add_changed(["a"])
    queue.finish(0.0, interrupted=True)
    assert queue.has_scan
    assert queue.next(0.0) == FilesChanged(("a",))
    queue.finish(0.0)
    assert queue.next(0.0) == FullScan("start")


def test_a_job_for_changed_files_is_interrupted_by_a_pause_only(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.request_scan("branch")
    queue.add_changed(["b"])
    assert not queue.interrupts
    queue.pause()
    assert queue.interrupts


def test_chunks_that_waited_before_a_file_changed_are_embedded_behind_it(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish(0.0, incomplete=True)
    assert queue.next(0.0) == FullScan("files changed")


def test_a_pause_interrupts_the_scan_and_its_rest_stays_undone(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.files_stored()
    queue.pause()
    assert queue.interrupts
    queue.finish(0.0, interrupted=True)
    assert (queue.paused, queue.has_scan, queue.next(0.0)) == (True, False, IDLE)


def test_changed_files_flow_during_a_pause_and_a_requested_scan_does_not(queue: JobQueue) -> None:
    queue.pause()
    queue.request_scan("branch")
    queue.add_changed(["a"])
    assert queue.next(0.0) == FilesChanged(("a",))
    assert not queue.interrupts
    queue.finish(0.0, incomplete=True)
    assert queue.next(0.0) == IDLE
    assert queue.scan_requested
    queue.resume("resumed")
    assert queue.next(0.0) == FullScan("branch")


def test_resuming_scans_for_whatever_was_interrupted(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.pause()
    queue.finish(0.0, interrupted=True)
    queue.resume("resumed")
    assert queue.next(0.0) == FullScan("resumed")


def test_resuming_without_a_pause_does_nothing(queue: JobQueue) -> None:
    queue.resume("resumed")
    assert queue.next(0.0) == IDLE


def test_paths_that_a_paused_scan_had_swallowed_are_indexed_during_the_pause(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.request_scan("branch")
    queue.next(0.0)
    queue.pause()
    queue.finish(0.0, interrupted=True)
    assert queue.next(0.0) == FilesChanged(("a",))


def test_a_pause_during_a_job_for_changed_files_gives_them_back(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.add_changed(["b"])
    queue.pause()
    queue.finish(0.0, interrupted=True)
    assert queue.next(0.0) == FilesChanged(("a", "b"))


def test_after_a_failure_a_full_scan_tries_again_and_nothing_begins_before(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish_failed(0.0, 5.0)
    queue.add_changed(["b"])
    assert queue.next(4.9) == Wait(5.0)
    assert queue.next(5.0) == FullScan(RETRY)


def test_a_scan_that_is_requested_after_a_failure_does_not_wait(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.finish_failed(0.0, 5.0)
    queue.request_scan("asked")
    assert queue.next(0.1) == FullScan("asked")


def test_a_failure_during_a_pause_tries_the_changed_files_again_and_nothing_else(queue: JobQueue) -> None:
    queue.pause()
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish_failed(0.0, 5.0)
    assert queue.next(0.0) == Wait(5.0)
    assert queue.next(5.0) == FilesChanged(("a",))


def test_maintenance_comes_after_a_time_without_jobs(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish(0.0, maintain=True)
    queue.add_changed(["b"])
    queue.next(2.0)
    queue.finish(2.0)
    assert queue.next(3.0) == Wait(5.0)
    assert queue.next(5.0) == Maintenance()
    queue.finish_upkeep(6.0, interrupted=False)
    assert queue.next(100.0) == IDLE


def test_maintenance_that_was_interrupted_comes_again(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish(0.0, maintain=True)
    queue.next(3.0)
    queue.add_changed(["b"])
    assert queue.interrupts
    queue.finish_upkeep(4.0, interrupted=True)
    assert queue.next(4.0) == FilesChanged(("b",))
    queue.finish(4.0)
    assert queue.next(4.0) == Wait(7.0)


def test_maintenance_waits_for_the_end_of_a_pause(queue: JobQueue) -> None:
    queue.add_changed(["a"])
    queue.next(0.0)
    queue.finish(0.0, maintain=True)
    queue.pause()
    assert queue.next(10.0) == IDLE
    queue.resume("resumed")
    queue.next(10.0)
    queue.finish(10.0)
    assert queue.next(13.0) == Maintenance()


def test_verification_comes_now_and_then_behind_everything_else_and_leaves_the_queue_idle() -> None:
    queue = JobQueue(maintain_after=3.0, verify_after=60.0)
    assert queue.next(0.0) == IDLE
    queue.request_scan("start")
    queue.next(0.0)
    queue.finish(1.0, maintain=True)
    assert queue.next(1.0) == Wait(4.0)
    queue.next(4.0)
    queue.finish_upkeep(5.0, interrupted=False)
    assert queue.next(5.0) == Wait(61.0, idle=True)
    queue.add_changed(["a"])
    assert queue.next(61.0) == FilesChanged(("a",))
    queue.finish(62.0)
    assert queue.next(62.0) == Verification()
    queue.add_changed(["b"])
    assert queue.interrupts
    queue.finish_upkeep(63.0, interrupted=True)
    queue.next(63.0)
    queue.finish(63.0)
    assert queue.next(63.0) == Wait(123.0, idle=True)
    assert queue.next(123.0) == Verification()
    queue.finish_upkeep(124.0, interrupted=False)
    assert queue.next(124.0) == Wait(124.0 + VERIFY_EVERY, idle=True)


def test_an_encoder_that_was_unreachable_is_probed_until_it_is_available(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    queue.finish(0.0, unreachable=True)
    assert queue.next(0.5) == Wait(1.0)
    assert queue.next(1.0) == EncoderProbe()
    queue.finish_probe(1.0, available=False)
    assert queue.next(1.0) == Wait(2.0)
    queue.next(2.0)
    queue.finish_probe(2.0, available=True)
    job = queue.next(2.0)
    assert isinstance(job, FullScan) and "encoder" in job.cause
    queue.finish(2.0)
    assert queue.next(100.0) == IDLE


def test_requests_are_taken_for_the_process_that_does_the_job(queue: JobQueue) -> None:
    queue.request_scan("start")
    queue.next(0.0)
    assert not queue.has_requests
    queue.add_changed(["a"])
    queue.request_scan("branch")
    assert queue.take_requests() == Requests(paths=("a",), scan="branch")
    queue.pause()
    assert queue.take_requests() == Requests(pause=True)
    queue.request_scan("held")
    assert not queue.has_requests
    assert (queue.changed_count, queue.scan_requested) == (0, True)
