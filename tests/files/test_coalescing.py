"""When a batch is due and what it says; time is a number here."""

from __future__ import annotations

from retrieval.files.debounce import MAX_EVENTS, MAX_PATHS, Batch, Changes


def batch() -> Batch:
    return Batch(quiet=1.0, longest=5.0)


def test_nothing_is_never_due() -> None:
    assert batch().due() is None
    assert not Changes()


def test_a_batch_is_due_after_a_moment_of_quiet() -> None:
    events = batch()
    events.add(10.0, "a.py")
    assert events.due() == 11.0
    events.add(10.9, "a.py", "b.py")
    assert events.due() == 11.9
    assert events.take() == Changes(("a.py", "b.py"))
    assert events.due() is None


def test_events_that_never_stop_are_reported_all_the_same() -> None:
    events = batch()
    for tenth in range(100):
        events.add(10.0 + tenth / 10, "a.py")
    assert events.due() == 15.0


def test_noise_delays_nothing() -> None:
    events = batch()
    events.add_noise()
    assert events.due() is None
    events.add(1.0, "a.py")
    events.add_noise()
    assert events.due() == 2.0
    assert events.take() == Changes(("a.py",))


def test_a_reason_to_rescan_keeps_the_paths_and_the_first_reason() -> None:
    events = batch()
    events.add_rescan(1.0, "ignore rules changed")
    events.add(1.1, "a.py")
    events.add_rescan(1.2, "other")
    assert events.take() == Changes(("a.py",), True, "ignore rules changed")


def test_too_many_paths_become_a_rescan() -> None:
    events = batch()
    for number in range(MAX_PATHS + 10):
        events.add(1.0, f"{number}.py")
    assert events.take() == Changes((), True, "many files changed at once")


def test_a_flood_can_have_pushed_events_out() -> None:
    events = batch()
    for _ in range(MAX_EVENTS):
        events.add_noise()
    events.add(1.0, "a.py")
    assert events.take() == Changes(("a.py",), True, "events may have been lost")
    events.add(2.0, "a.py")
    assert events.take() == Changes(("a.py",))
