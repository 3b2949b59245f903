"""Contents that were seen before are not parsed, split or embedded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrieval.engine import Workspace
from retrieval.indexing import chunk_jobs
from tests.engine.indexed import CountingEncoder, check_equals_fresh, rows_of, write_project


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths whose texts are chunked, in whichever process."""
    seen: list[str] = []
    real = chunk_jobs.ChunkJob.__init__

    def recorded(job: chunk_jobs.ChunkJob, path: str, *rest: Any, **more: Any) -> None:
        seen.append(path)
        real(job, path, *rest, **more)

    monkeypatch.setattr(chunk_jobs.ChunkJob, "__init__", recorded)
    return seen


def test_coming_back_to_a_branch_parses_and_embeds_nothing(tmp_path: Path, parsed: list[str]) -> None:
    root, encoder = tmp_path / "root", CountingEncoder()
    write_project(root, 12)
    files = sorted(root.rglob("*.py"))
    before = {path: path.read_text() for path in files}
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        rows = rows_of(workspace)
        for path in files:
            path.write_text("import this\n\n\ndef only_here():\n    return 1\n\n\n" + before[path])
        workspace.refresh()
        check_equals_fresh(workspace, tmp_path / "fresh")
        parsed.clear()
        encoder.passages.clear()
        for path in files:
            path.write_text(before[path])
        report = workspace.refresh()
        assert report.files_changed == len(files)
        assert (parsed, encoder.passages) == ([], [])
        assert rows_of(workspace) == rows


def test_a_file_that_moves_is_cut_again_because_its_path_is_part_of_what_is_read(
    tmp_path: Path, parsed: list[str]
) -> None:
    root = tmp_path / "root"
    write_project(root, 2)
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        parsed.clear()
        (root / "pkg0" / "module_0.py").rename(root / "moved.rs")
        workspace.refresh()
        assert parsed == ["moved.rs"]
        check_equals_fresh(workspace, tmp_path / "fresh")
