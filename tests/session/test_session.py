"""A session on a real workspace: it catches up, merges, lets changed files go first, pauses, survives failures, stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from c2llm_lsp.session.events import Busy, Done, Event, Failed, Progress, StateChanged
from c2llm_lsp.session.job_queue import FilesChanged, FullScan
from c2llm_lsp.session.session import Delays, Session
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import EncoderError, StoreError
from retrieval.files import ChangeBatch
from retrieval.indexing import index_files, writer_lock
from retrieval.types import IndexReport
from tests.cli.program import lay_out
from tests.engine.remote_stand_in import RemoteStandIn
from tests.patience import PATIENCE


class HeldEncoder(OverlapEncoder):
    """An encoder that can be made to wait, or to fail, so that a test decides what happens while a job runs."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()
        self.failing = False

    def hold(self) -> None:
        """The next batch waits, and `begun` is set when it does."""
        self.go.clear()
        self.begun.clear()

    def encode_passages(self, texts: object) -> np.ndarray:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if self.failing:
            raise EncoderError("the encoder is ill")
        return super().encode_passages(texts)  # type: ignore[arg-type]


class Events:
    """The events of a session, and ways to wait for them."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._came = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._came:
            self.seen.append(event)
            self._came.notify_all()

    def done(self) -> list[Done]:
        return [event for event in self.seen if isinstance(event, Done)]

    def wait(self, count: int) -> list[Done]:
        """Wait for so many jobs to be done."""
        self.wait_for(lambda: len(self.done()) >= count)
        return self.done()

    def wait_for(self, condition: Callable[[], object]) -> None:
        with self._came:
            assert self._came.wait_for(condition, PATIENCE), self.seen

    def wait_for_files(self) -> None:
        """Wait until a full scan has stored its files, and only embedding is left."""
        self.wait_for(
            lambda: any(isinstance(e, Progress) and e.stage == "words" and e.done == e.total for e in self.seen)
        )


@pytest.fixture
def encoder() -> HeldEncoder:
    return HeldEncoder()


@pytest.fixture
def workspace(tmp_path: Path, encoder: HeldEncoder) -> Iterator[Workspace]:
    root = lay_out(tmp_path / "project", {f"m{i}.py": f"def function_{i}():\n    return {i}\n" for i in range(3)})
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def session(workspace: Workspace, events: Events) -> Iterator[Session]:
    session = Session(workspace, events, delays=Delays(retry=0.05))
    yield session
    session.stop()


def test_it_catches_up_first(session: Session, events: Events, workspace: Workspace) -> None:
    session.start()
    (first,) = events.wait(1)
    assert first.job.cause == "start"
    assert first.report.files_changed == 3
    assert workspace.search("function_1").hits


def test_changes_become_jobs(session: Session, events: Events, workspace: Workspace) -> None:
    session.start()
    events.wait(1)
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    assert events.wait(2)[1].job == FilesChanged(("m1.py",))
    assert workspace.search("walrus").hits[0].chunk.path == "m1.py"


def test_changes_during_a_job_become_one_next_job(
    session: Session, events: Events, workspace: Workspace, encoder: HeldEncoder
) -> None:
    session.start()
    events.wait(1)
    encoder.hold()
    (workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m0.py"])
    assert encoder.begun.wait(PATIENCE)
    for number in range(50):
        session.changed([f"m{number % 2 + 1}.py"])
    assert session.status.pending_changes == 2
    encoder.go.set()
    assert events.wait(3)[2].job == FilesChanged(("m1.py", "m2.py"))
    assert len(events.done()) == 3


def test_embedding_everything_steps_aside_for_a_changed_file(
    session: Session, events: Events, workspace: Workspace, encoder: HeldEncoder, tmp_path: Path
) -> None:
    many = {f"n{i}.py": f"def number_{i}(value):\n    return value * {i}\n" for i in range(1200)}
    lay_out(workspace.root, many)
    encoder.hold()
    session.start()
    assert encoder.begun.wait(PATIENCE)
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    encoder.go.set()
    first, second, third = events.wait(3)[:3]
    assert first.report.cancelled
    assert second.job == FilesChanged(("m1.py",))
    assert isinstance(third.job, FullScan)
    assert workspace.status().pending_chunks == 0


def test_a_failure_is_told_and_tried_again(
    session: Session, events: Events, encoder: HeldEncoder, workspace: Workspace
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
    session: Session, events: Events, encoder: HeldEncoder, workspace: Workspace
) -> None:
    encoder.failing = True
    session.start()
    events.wait(1)
    encoder.failing = False
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    _, second, third = events.wait(3)[:3]
    assert second.job == FilesChanged(("m1.py",))
    assert second.report.chunks_embedded == 1
    assert isinstance(third.job, FullScan)
    assert workspace.status().pending_chunks == 0


def test_a_file_that_is_saved_during_a_pause_takes_nothing_along(
    session: Session, events: Events, encoder: HeldEncoder, workspace: Workspace
) -> None:
    """What was paused stays paused."""
    lay_out(workspace.root, {f"n{i}.py": f"def number_{i}(value):\n    return value * {i}\n" for i in range(600)})
    encoder.hold()
    session.start()
    events.wait_for_files()
    assert encoder.begun.wait(PATIENCE)
    session.pause()
    encoder.go.set()
    (first,) = events.wait(1)
    assert first.report.cancelled
    waiting = workspace.status().pending_chunks
    assert waiting == first.report.chunks_added - first.report.chunks_embedded > 0
    (workspace.root / "walrus.py").write_text("def walrus():\n    return 1\n")
    session.changed(["walrus.py"])
    second = events.wait(2)[1]
    assert second.report.chunks_embedded == 1
    assert session.status.state == "paused"
    assert workspace.status().pending_chunks == waiting
    session.rescan("wanted after all")
    events.wait(3)
    assert workspace.status().pending_chunks == 0


def test_text_of_a_buffer_that_could_not_be_embedded_is_taken_up_when_the_encoder_is_back(
    workspace: Workspace, events: Events
) -> None:
    session = Session(workspace, events, delays=Delays(probe=0.01))
    session.start()
    events.wait(1)
    encoder = RemoteStandIn()
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
            raise StoreError("The disk is gone, as the test says.")
        return True

    monkeypatch.setattr(Workspace, "complete", property(complete))
    (workspace.root / "m1.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m1.py"])
    again = events.wait(2)[1]
    assert again.job.cause == "retry"
    assert [type(event) for event in events.seen].count(Failed) == 1


def test_another_writer_is_waited_for(events: Events, workspace: Workspace) -> None:
    states: list[str] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Busy):  # on the session's thread: it has not tried again yet
            states.append(session.status.state)
        events(event)

    session = Session(workspace, on_event, delays=Delays(retry=0.05))
    with writer_lock(workspace.store.directory):
        session.start()
        events.wait_for(lambda: any(isinstance(event, Busy) for event in events.seen))
    events.wait(1)
    session.stop()
    assert {*states} == {"following"}
    assert workspace.search("function_1").hits


def test_it_stops_in_the_middle_of_a_job(session: Session, events: Events, encoder: HeldEncoder) -> None:
    encoder.hold()
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
    session: Session, events: Events, workspace: Workspace, encoder: HeldEncoder
) -> None:
    session.start()
    events.wait(1)
    assert (freshness := workspace.search("number").freshness).pending_files == 0
    assert not freshness.stale
    encoder.hold()
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


def test_a_pause_loses_no_changed_file(
    session: Session, events: Events, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.start()
    events.wait(1)
    real, asked = workspace.changed, []

    def cancelled_once(paths: tuple[str, ...], cancel: threading.Event) -> IndexReport:
        asked.append(paths)
        if len(asked) == 1:
            session.pause()
            return IndexReport(cancelled=True)
        return real(paths, cancel)

    monkeypatch.setattr(workspace, "changed", cancelled_once)
    (workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
    session.changed(["m0.py"])
    events.wait(3)
    assert asked == [("m0.py",), ("m0.py",)]
    assert workspace.search("walrus").hits[0].chunk.path == "m0.py"


def test_an_unexpected_error_is_told_and_tried_again(
    session: Session, events: Events, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "refresh", broken)
        session.start()
        events.wait_for(lambda: events.seen)
    assert isinstance(events.seen[0], Failed) and isinstance(events.seen[0].error, ZeroDivisionError)
    events.wait(1)
    assert workspace.search("function_1").hits


def test_a_pause_leaves_true_counts_and_a_saved_file_does_not_end_it(
    session: Session, events: Events, encoder: HeldEncoder, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused while files are stored: those that are left are counted, also after a file was indexed during the pause."""
    monkeypatch.setattr(index_files, "BATCH_CHUNKS", 1)
    lay_out(workspace.root, {f"n{i}.py": f"def number_{i}():\n    return {i}\n" for i in range(20)})

    def pause_at_five(event: Event) -> None:
        events(event)
        if isinstance(event, Progress) and event.stage == "words" and event.done == 5 and not events.done():
            session.pause()

    session = Session(workspace, pause_at_five)
    session.start()
    (first,) = events.wait(1)
    assert first.report.cancelled
    events.wait_for(lambda: any(isinstance(event, StateChanged) for event in events.seen))
    assert session.status.state == "paused"
    assert workspace.status().files == 5
    freshness = workspace.freshness()
    assert (freshness.files, freshness.pending_files, freshness.stale) == (5, 18, True)
    (workspace.root / "walrus.py").write_text("def walrus():\n    return 1\n")
    session.changed(["walrus.py"])
    assert events.wait(2)[1].job == FilesChanged(("walrus.py",))
    assert session.status.state == "paused"
    assert workspace.freshness().pending_files == 18
    session.resume()
    assert events.wait(3)[2].job == FullScan("resumed")
    freshness = workspace.freshness()
    assert (freshness.files, freshness.pending_files, freshness.pending_chunks, freshness.stale) == (24, 0, 0, False)
    assert session.status.state == "idle"
    session.stop()


def test_a_scan_that_the_watcher_wants_during_a_pause_waits_for_its_end(
    session: Session, events: Events, workspace: Workspace
) -> None:
    session.start()
    events.wait(1)
    session.pause()
    events.wait_for(lambda: isinstance(events.seen[-1], StateChanged))
    session.follow(ChangeBatch(rescan=True, reason="branch"))
    session.changed(["m1.py"])
    assert events.wait(2)[1].job == FilesChanged(("m1.py",))
    assert session.status.scan_pending and workspace.freshness().stale
    session.resume()
    assert events.wait(3)[2].job == FullScan("branch")


def test_buffers_go_through_the_session_to_the_engine(session: Session, workspace: Workspace) -> None:
    assert session.set_buffer("m0.py", "def walrus():\n    return 1\n") == 1
    assert workspace.search("walrus").hits[0].chunk.path == "m0.py"
    session.close_buffer("m0.py")
    assert not workspace.search("walrus").hits


def test_answers_are_stale_while_a_watcher_holds_changes_back(
    session: Session, events: Events, workspace: Workspace
) -> None:
    session.start()
    events.wait(1)
    assert not workspace.freshness().stale
    session.hold(True)
    assert workspace.freshness().stale
    session.hold(False)
    assert not workspace.freshness().stale


def test_the_index_is_verified_at_a_quiet_moment(
    workspace: Workspace, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so to nobody, and being idle does not wait for it."""
    verified, idle = threading.Event(), threading.Event()

    def verify(stop: object) -> None:
        verified.set()
        raise StoreError("a disk that fails then is the next query's business")

    monkeypatch.setattr(workspace.verifier, "run", verify)
    session = Session(workspace, events, delays=Delays(maintain=0.0, verify=0.0), on_idle=idle.set)
    session.start()
    try:
        assert verified.wait(PATIENCE)
        assert idle.wait(PATIENCE)
        assert session.status.state == "idle"
        assert not [event for event in events.seen if isinstance(event, Failed)]
    finally:
        session.stop()
