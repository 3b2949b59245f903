"""Answers and progress say how far the index is, while it is being made and afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.engine import Workspace
from retrieval.indexing import embedding, index_files
from tests.engine.indexed import CountingEncoder, write_project


def test_during_a_refresh_answers_say_how_many_files_are_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_files, "BATCH_CHUNKS", 1)
    root = tmp_path / "root"
    write_project(root, 6)
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        seen = []
        told: list[tuple[str, int, int]] = []

        def progress(stage: str, done: int, total: int) -> None:
            told.append((stage, done, total))
            freshness = workspace.search("send request").freshness
            seen.append((stage, freshness.pending_files, freshness.pending_chunks, freshness.stale))

        workspace.refresh(progress)
        assert [pending for stage, pending, *_ in seen if stage == "words"] == [5, 4, 3, 2, 1, 0, 0]
        assert all(stale for stage, pending, _, stale in seen)  # not one look was complete yet
        assert [chunks for stage, _, chunks, _ in seen if stage == "vectors"][-1] == 0
        for stage in ("words", "vectors"):
            steps = [(done, total) for name, done, total in told if name == stage]
            assert steps == sorted(steps)
            assert len({total for _, total in steps}) == 1
            assert steps[-1][0] == steps[-1][1]
        freshness = workspace.search("send request").freshness
        assert (freshness.pending_files, freshness.pending_chunks, freshness.stale) == (0, 0, False)


def test_progress_ends_at_its_total_where_chunks_share_their_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "BATCH", 1)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.txt").write_text(("same words on every line of it\n" * 60 + "\n" * 3) * 6)
    with Workspace.open(tmp_path / "root", encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        told: list[tuple[str, int, int]] = []
        workspace.refresh(lambda *step: told.append(step))
        assert told[-1][0] == "vectors"
        assert told[-1][1] == told[-1][2]
