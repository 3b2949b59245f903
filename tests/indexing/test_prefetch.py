"""Embedding that begins while files are still being read gives what it gives afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.encoders import Vectors
from retrieval.engine import Workspace
from retrieval.errors import EncoderError
from retrieval.indexing import embedding, index_files, pipeline
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many batches, embedded ahead from the first file on."""
    monkeypatch.setattr(pipeline, "AHEAD_FROM", 1)
    monkeypatch.setattr(embedding, "BATCH", 8)
    monkeypatch.setattr(index_files, "BATCH_CHUNKS", 10)


def test_the_index_is_the_same_and_nothing_is_embedded_twice(tmp_path: Path) -> None:
    write_project(tmp_path / "root", 30)
    encoder = CountingEncoder()
    with Workspace.open(tmp_path / "root", encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.search("send request")  # a live index follows what is embedded ahead
        report = workspace.refresh()
        chunks = workspace.store.chunks.count()
        assert len(encoder.passages) == len(set(encoder.passages)) == chunks
        assert (report.chunks_added, report.chunks_embedded, report.chunks_reused) == (chunks, chunks, 0)
        check_equals_fresh(workspace, tmp_path / "fresh")
        for path in (tmp_path / "root").rglob("*.py"):
            path.write_text(path.read_text().replace("step_1 ", "changed_step "))
        report = workspace.refresh()
        assert len(encoder.passages) == len(set(encoder.passages))
        assert report.chunks_reused == 0
        check_equals_fresh(workspace, tmp_path / "fresh2")


def test_a_cancel_stops_both_and_the_next_run_goes_on(tmp_path: Path) -> None:
    write_project(tmp_path / "root", 30)

    class Cancel:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 25

    encoder = CountingEncoder()
    with Workspace.open(tmp_path / "root", encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        assert workspace.refresh(cancel=Cancel()).cancelled
        before = workspace.store.chunks.count()
        assert before > 0
        workspace.refresh()
        assert len(encoder.passages) == workspace.store.chunks.count() > before
        check_equals_fresh(workspace, tmp_path / "fresh")


def test_an_encoder_that_fails_ahead_leaves_all_words(tmp_path: Path) -> None:
    write_project(tmp_path / "root", 30)

    class Failing(CountingEncoder):
        def encode_passages(self, texts: object) -> Vectors:
            raise EncoderError("out of memory")

    with Workspace.open(tmp_path / "root", encoder=Failing(), cache_dir=tmp_path / "cache") as workspace:
        report = workspace.refresh()
        assert "out of memory" in report.notes[0]
        assert report.files_changed == 30
        assert workspace.search("send request").hits
    with Workspace.open(tmp_path / "root", encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        check_equals_fresh(workspace, tmp_path / "fresh")


def test_another_process_hears_of_what_was_embedded_ahead(tmp_path: Path) -> None:
    write_project(tmp_path / "root", 20)
    cache = tmp_path / "cache"
    with (
        Workspace.open(tmp_path / "root", encoder=CountingEncoder(), cache_dir=cache) as writer,
        Workspace.open(tmp_path / "root", encoder=CountingEncoder(), cache_dir=cache) as reader,
    ):
        reader.search("send request")
        writer.refresh()
        assert len(reader.context.vector_index(reader.encoder).current()) == writer.store.chunks.count()
        assert reader.search("send request").freshness.pending_chunks == 0
