"""An encoder that runs elsewhere: it goes, comes, becomes another one, and is as slow as it likes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval.chunking import chunk_file, passage
from retrieval.encoders import OverlapEncoder, StoppableEncoder
from retrieval.engine import Workspace
from tests.engine.remote_stand_in import RemoteStandIn, WiderModel

CAKE = "def bake_chocolate_cake(oven):\n    pass\n"


class Recorder:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def index_repaired(self) -> None:
        self.events.append("index repaired")

    def encoder_changed(self) -> None:
        self.events.append("encoder changed")

    def encoder_unreachable(self) -> None:
        self.events.append("encoder unreachable")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    for number in range(5):
        (tmp_path / f"tree/file{number}.py").write_text(f"def function_{number}():\n    return {number}\n")
    return tmp_path / "tree"


@pytest.fixture
def encoder() -> RemoteStandIn:
    return RemoteStandIn()


@pytest.fixture
def workspace(root: Path, encoder: RemoteStandIn, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as found:
        yield found


def test_a_report_says_that_chunks_wait_for_an_encoder_that_is_down(
    workspace: Workspace, encoder: RemoteStandIn
) -> None:
    encoder.down = True
    report = workspace.refresh()
    assert report.unreachable and "the server is down" in report.notes[0].lower()
    assert not workspace.encoders.available
    answer = workspace.search("function_3")
    assert (answer.encoder, answer.freshness.pending_chunks) == ("", 5)
    encoder.down = False
    assert workspace.encoders.available
    report = workspace.refresh()
    assert (report.unreachable, report.chunks_embedded) == (False, 5)
    assert workspace.search("function_3").freshness.pending_chunks == 0


def test_a_buffer_that_was_shown_while_it_was_down_is_embedded_later(
    workspace: Workspace, encoder: RemoteStandIn
) -> None:
    workspace.refresh()
    encoder.down = True
    listener = Recorder()
    workspace.set_listener(listener)
    assert workspace.set_buffer("new.py", CAKE) == 0
    assert listener.events == ["encoder unreachable"]
    answer = workspace.search("bake_chocolate_cake")
    assert answer.hits[0].chunk.path == "new.py"
    assert answer.freshness.pending_chunks == 1
    assert workspace.symbols.freshness().pending_chunks == 1
    encoder.down, encoder.passages = False, []
    workspace.refresh()
    assert len(encoder.passages) == 1
    workspace.refresh()
    assert len(encoder.passages) == 1


def test_words_of_a_buffer_are_found_before_its_vectors_are_made(workspace: Workspace, encoder: RemoteStandIn) -> None:
    workspace.refresh()
    found: list[str] = []

    def look() -> None:
        found.append(workspace.search("bake_chocolate_cake").hits[0].chunk.path)

    encoder.before = look
    workspace.set_buffer("new.py", CAKE)
    assert found == ["new.py"]


def test_one_that_became_another_is_loaded_again_and_everything_is_embedded_with_it(root: Path, tmp_path: Path) -> None:
    models = [RemoteStandIn("one"), RemoteStandIn("two")]
    loaded = iter(models)
    with Workspace.open(root, load_encoder=lambda: next(loaded), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        listener = Recorder()
        workspace.set_listener(listener)
        models[0].outdated = True
        assert workspace.search("function_3").freshness.pending_chunks == 5
        assert listener.events == ["encoder changed"]
        workspace.refresh()
        assert workspace.search("function_3").freshness.pending_chunks == 0
        assert len(models[1].passages) == 5


@contextmanager
def become_another(root: Path, tmp_path: Path) -> Iterator[tuple[Workspace, RemoteStandIn]]:
    """A workspace with an open buffer whose encoder has just become another one, and that one."""
    first, second = RemoteStandIn("one"), WiderModel("two")
    loaded = iter([first, second])
    with Workspace.open(root, load_encoder=lambda: next(loaded), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        workspace.set_buffer("new.py", CAKE)
        first.outdated = True
        yield workspace, second


def test_buffers_have_no_vectors_of_the_model_that_it_was(root: Path, tmp_path: Path) -> None:
    """Neither are they searched, whatever their dimension, nor stored as the new one's when the buffer is saved."""
    with become_another(root, tmp_path) as (workspace, second):
        answer = workspace.search("bake_chocolate_cake")
        assert answer.hits[0].chunk.path == "new.py"
        (root / "new.py").write_text(CAKE)
        workspace.changed(["new.py"])
        workspace.close_buffer("new.py")
        workspace.refresh()
        ids, vectors = workspace.store.vectors.all("two")
        stored = vectors[ids.tolist().index(workspace.store.chunks.ids_in_file("new.py")[0])]
        own = second.encode_passages([passage(chunk_file("new.py", CAKE)[0])])[0]
        assert stored @ own == pytest.approx(1.0, abs=1e-3)


def test_an_open_buffer_goes_over_to_the_model_that_it_has_become(root: Path, tmp_path: Path) -> None:
    with become_another(root, tmp_path) as (workspace, second):
        workspace.refresh()
        answer = workspace.search("bake_chocolate_cake")
        assert (answer.encoder, answer.freshness.pending_chunks) == ("overlap", 0)
        assert "meaning" in {signal.name for signal in answer.hits[0].signals}
        assert sum("bake_chocolate_cake" in text for text in second.passages) == 1


def test_a_cancel_is_heard_while_it_hangs(workspace: Workspace, encoder: RemoteStandIn) -> None:
    assert isinstance(encoder, StoppableEncoder) and not isinstance(OverlapEncoder(), StoppableEncoder)
    encoder.hangs.set()
    cancel = threading.Event()
    report = workspace.refresh(lambda stage, *_: cancel.set() if stage == "vectors" else None, cancel)
    assert report.cancelled and not report.unreachable
    encoder.hangs.clear()
    assert workspace.refresh().chunks_embedded == 5
