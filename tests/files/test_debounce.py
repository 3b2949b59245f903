"""When a batch is due and what it contains; time is passed in as a number."""

from __future__ import annotations

from retrieval.files.debounce import MAX_EVENTS, MAX_PATHS, ChangeBatch, Debouncer


def debouncer() -> Debouncer:
    return Debouncer(quiet=1.0, max_delay=5.0)


def test_an_empty_batch_is_never_due() -> None:
    assert debouncer().due() is None
    assert not ChangeBatch()


def test_a_batch_is_due_after_a_moment_of_quiet() -> None:
    events = debouncer()
    events.add(10.0, "a.py")
    assert events.due() == 11.0
    events.add(10.9, "a.py", "b.py")
    assert events.due() == 11.9
    assert events.take() == ChangeBatch(("a.py", "b.py"))
    assert events.due() is None


def test_continuous_events_are_reported_after_the_maximum_delay() -> None:
    events = debouncer()
    for tenth in range(100):
        events.add(10.0 + tenth / 10, "a.py")
    assert events.due() == 15.0


def test_unrelated_events_do_not_delay_a_debouncer() -> None:
    events = debouncer()
    events.add_unrelated()
    assert events.due() is None
    events.add(1.0, "a.py")
    events.add_unrelated()
    assert events.due() == 2.0
    assert events.take() == ChangeBatch(("a.py",))


def test_a_reason_to_rescan_keeps_the_paths_and_the_first_reason() -> None:
    events = debouncer()
    events.add_rescan(1.0, "ignore rules changed")
    events.add(1.1, "a.py")
    events.add_rescan(1.2, "other")
    assert events.take() == ChangeBatch(("a.py",), True, "ignore rules changed")


def test_too_many_paths_become_a_rescan() -> None:
    events = debouncer()
    for number in range(MAX_PATHS + 10):
        events.add(1.0, f"{number}.py")
    assert events.take() == ChangeBatch((), True, "many files changed at once")


def test_a_flood_of_events_requests_a_rescan() -> None:
    events = debouncer()
    for _ in range(MAX_EVENTS):
        events.add_unrelated()
    events.add(1.0, "a.py")
    assert events.take() == ChangeBatch(("a.py",), True, "events may have been lost")
    events.add(2.0, "a.py")
    assert events.take() == ChangeBatch(("a.py",))
