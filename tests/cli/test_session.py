"""A live session on a real workspace: it catches up, merges, lets changed files go first, survives failures, stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from c2llm_lsp.session import session as session_module
from c2llm_lsp.session.session import Event, Session
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import EncoderError, StoreError
from retrieval.types import IndexReport
from tests.cli.program import lay_out
from tests.indexing.test_elsewhere import Elsewhere

PATIENCE = 60.0


class Held(OverlapEncoder):
    """An encoder that can be made to wait, or to fail, so that a test decides what happens while a job runs."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()
        self.failing = False

    def encode_passages(self, texts: object) -> np.ndarray:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if self.failing:
            raise EncoderError("the encoder is ill")
        return super().encode_passages(texts)  # type: ignore[arg-type]


class Events:
    """The events of a session, and a way to wait for one."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._came = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._came:
            self.seen.append(event)
            self._came.notify_all()

    def done(self) -> list[Event]:
        return [event for event in self.seen if event.kind == "done"]

    def wait(self, wanted: int) -> list[Event]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.done()) >= wanted, PATIENCE), self.seen
            return self.done()


@pytest.fixture
def encoder() -> Held:
    return Held()


@pytest.fixture
def workspace(tmp_path: Path, encoder: Held) -> Iterator[Workspace]:
    root = lay_out(tmp_path / "project", {f"m{i}.py": f"def function_{i}():\n    return {i}\n" for i in range(3)})
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def session(workspace: Workspace, events: Events) -> Iterator[Session]:
    session = Session(workspace, events, retry_after=0.05)
    yield session
    session.stop()


def test_it_catches_up_first(session: Session, events: Events, workspace: Workspace) -> None:
    session.start()
    (first,) = events.wait(1)
    assert first.job.cause == "start"
    assert first.report and first.report.files_changed == 3
    assert workspace.search("function_1").hits


def test_changes_become_jobs(session: Session, events: Events, workspace: Workspace) -> None:
    session.start()
    events.wait(1)
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    assert events.wait(2)[1].job.paths == ("m1.py",)
    assert workspace.search("walrus").hits[0].chunk.path == "m1.py"


def test_changes_during_a_job_become_one_next_job(
    session: Session, events: Events, workspace: Workspace, encoder: Held
) -> None:
    session.start()
    events.wait(1)
    encoder.go.clear()
    encoder.begun.clear()
    (workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m0.py"])
    assert encoder.begun.wait(PATIENCE)
    for number in range(50):
        session.changed([f"m{number % 2 + 1}.py"])
    assert session.pending == 2
    encoder.go.set()
    assert events.wait(3)[2].job.paths == ("m1.py", "m2.py")
    assert len(events.done()) == 3


def test_embedding_everything_steps_aside_for_a_changed_file(
    session: Session, events: Events, workspace: Workspace, encoder: Held, tmp_path: Path
) -> None:
    many = {f"n{i}.py": f"def number_{i}(value):\n    return value * {i}\n" for i in range(1200)}
    lay_out(workspace.root, many)
    encoder.go.clear()
    session.start()
    assert encoder.begun.wait(PATIENCE)
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    encoder.go.set()
    first, second, third = events.wait(3)[:3]
    assert first.report and first.report.cancelled
    assert second.job.paths == ("m1.py",)
    assert third.job.paths is None
    assert workspace.status().pending_chunks == 0


def test_a_failure_is_told_and_tried_again(
    session: Session, events: Events, encoder: Held, workspace: Workspace
) -> None:
    encoder.failing = True
    session.start()
    (first,) = events.wait(1)
    assert first.report and any("ill" in note for note in first.report.notes)
    encoder.failing = False
    session.rescan("again")
    events.wait(2)
    assert workspace.status().pending_chunks == 0


def test_what_failed_is_tried_again_behind_a_saved_file(
    session: Session, events: Events, encoder: Held, workspace: Workspace
) -> None:
    encoder.failing = True
    session.start()
    events.wait(1)
    encoder.failing = False
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    _, second, third = events.wait(3)[:3]
    assert second.job.paths == ("m1.py",)
    assert second.report and second.report.chunks_embedded == 1
    assert third.job.paths is None
    assert workspace.status().pending_chunks == 0


def test_a_file_that_is_saved_after_a_cancel_takes_nothing_along(
    session: Session, events: Events, encoder: Held, workspace: Workspace
) -> None:
    """What was cancelled stays cancelled."""
    lay_out(workspace.root, {f"n{i}.py": f"def number_{i}(value):\n    return value * {i}\n" for i in range(600)})
    encoder.go.clear()
    session.start()
    assert encoder.begun.wait(PATIENCE)
    session.cancel()
    encoder.go.set()
    (first,) = events.wait(1)
    assert first.report and first.report.cancelled
    waiting = workspace.status().pending_chunks
    assert waiting > 500
    (workspace.root / "walrus.py").write_text("def walrus():\n    return 1\n")
    session.changed(["walrus.py"])
    second = events.wait(2)[1]
    assert second.report and second.report.chunks_embedded == 1
    assert session.paused
    assert workspace.status().pending_chunks == waiting
    session.rescan("wanted after all")
    events.wait(3)
    assert workspace.status().pending_chunks == 0


def test_text_of_a_buffer_that_could_not_be_embedded_is_taken_up_when_the_encoder_is_back(
    workspace: Workspace, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "REACH_EVERY", 0.01)
    session = Session(workspace, events)
    session.start()
    events.wait(1)
    encoder = Elsewhere()
    encoder.down = True
    workspace.encoders.loaded = encoder
    workspace.refresh()
    workspace.set_buffer("new.py", "def walrus():\n    return 1\n")
    encoder.down = False
    events.wait(2)
    session.stop()
    assert workspace.freshness().pending_chunks == 0


def test_an_index_that_cannot_be_read_behind_a_job_does_not_end_the_session(
    session: Session, events: Events, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.start()
    events.wait(1)
    asked: list[str] = []

    def complete(_: Workspace) -> bool:
        asked.append("complete")
        if len(asked) == 1:
            raise StoreError("The disk is gone, as the test wants it.")
        return True

    monkeypatch.setattr(Workspace, "complete", property(complete))
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    again = events.wait(2)[1]
    assert again.job.cause == "retry"
    assert [event.kind for event in events.seen].count("failed") == 1


def test_another_writer_is_waited_for(session: Session, events: Events, workspace: Workspace) -> None:
    from retrieval.indexing import writer_lock

    with writer_lock(workspace.store.directory):
        session.start()
        while not events.seen:
            pass
        assert events.seen[0].kind == "busy"
    assert events.wait(1)[0].report
    assert workspace.search("function_1").hits


def test_it_stops_in_the_middle_of_a_job(session: Session, events: Events, encoder: Held) -> None:
    encoder.go.clear()
    session.start()
    assert encoder.begun.wait(PATIENCE)
    stopper = threading.Thread(target=session.stop)
    stopper.start()
    encoder.go.set()
    stopper.join(PATIENCE)
    assert not stopper.is_alive()


def test_a_session_that_never_started_stops(session: Session) -> None:
    session.stop()


def test_answers_say_what_waits_and_what_is_being_done(
    session: Session, events: Events, workspace: Workspace, encoder: Held
) -> None:
    session.start()
    events.wait(1)
    assert (freshness := workspace.search("number").freshness).pending_files == 0
    assert not freshness.stale
    encoder.go.clear()
    encoder.begun.clear()
    (workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m0.py"])
    assert encoder.begun.wait(PATIENCE)
    session.changed(["m1.py", "m2.py"])
    freshness = workspace.freshness()
    assert (freshness.pending_files, freshness.pending_chunks, freshness.stale) == (2, 1, True)
    encoder.go.set()
    events.wait(3)
    assert (freshness := workspace.freshness()).pending_files == 0
    assert not freshness.stale


def test_a_cancel_loses_no_changed_file(
    session: Session, events: Events, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.start()
    events.wait(1)
    real, asked = workspace.changed, []

    def cancelled_once(paths: tuple[str, ...], cancel: threading.Event) -> IndexReport:
        asked.append(paths)
        if len(asked) == 1:
            session.cancel()
            return IndexReport(cancelled=True)
        return real(paths, cancel)

    monkeypatch.setattr(workspace, "changed", cancelled_once)
    (workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m0.py"])
    events.wait(3)
    assert asked == [("m0.py",), ("m0.py",)]
    assert workspace.search("walrus").hits[0].chunk.path == "m0.py"


def test_what_nobody_foresaw_is_told_and_tried_again(
    session: Session, events: Events, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "refresh", broken)
        session.start()
        while not events.seen:
            pass
    assert isinstance(events.seen[0].error, ZeroDivisionError)
    events.wait(1)
    assert workspace.search("function_1").hits
