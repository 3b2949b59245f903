"""Damaged pages are repaired before a query is answered; a cache that can be written again is written again."""

from __future__ import annotations

import errno
import itertools
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.store.database import Database

QUERY = "how are redirects followed"
PAGE = 4096


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(6):
        body = "\n".join(f"    step_{line} = follow(redirect_{number}, {line})" for line in range(120))
        (root / f"module_{number}.py").write_text(f"def follow_redirects_{number}(request):\n{body}\n")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(root: Path, cache: Path) -> Workspace:
    return Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache)


def locations(workspace: Workspace) -> list[tuple[str, int]]:
    return [(hit.chunk.path, hit.chunk.start_line) for hit in workspace.search(QUERY).hits]


@pytest.mark.parametrize("name", ["index.db", "vectors.db"])
def test_a_query_that_meets_a_damaged_page_is_answered_as_before(root: Path, cache: Path, name: str) -> None:
    with opened(root, cache) as workspace:
        workspace.refresh()
        before = locations(workspace)
    [path] = cache.rglob(name)
    data = path.read_bytes()
    repaired = 0
    for start in range(PAGE, len(data), PAGE * 6):
        path.write_bytes(data[:start] + b"\xa5" * PAGE + data[start + PAGE :])
        with opened(root, cache) as workspace:
            workspace.refresh()
            assert locations(workspace) == before, start
            assert len(workspace.search(QUERY).notes) <= 1  # said once
            repaired += bool(workspace.search(QUERY).notes)
    assert repaired


def test_pages_of_vectors_that_have_changed_places_are_damage(root: Path, cache: Path) -> None:
    """Each is a page as it should be, so SQLite reads on and finds fewer rows."""
    with opened(root, cache) as workspace:
        workspace.refresh()
        before = locations(workspace)
    [path] = cache.rglob("vectors.db")
    data = path.read_bytes()
    pages = [data[start : start + PAGE] for start in range(0, len(data), PAGE)]
    leaves = [number for number, page in enumerate(pages) if number and page[0] in (10, 13)]  # of indexes and tables
    for first, second in itertools.pairwise(leaves):
        swapped = list(pages)
        swapped[first], swapped[second] = pages[second], pages[first]
        path.write_bytes(b"".join(swapped))
        with opened(root, cache) as workspace:
            workspace.refresh()
            assert locations(workspace) == before, (first, second)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
def test_a_cache_that_can_be_written_again_is_written_again(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    with opened(root, cache) as workspace:
        workspace.refresh()
    prepare = Database._prepare

    def failing(database: Database, check: bool) -> object:
        if database.read_only:
            return prepare(database, check)
        raise OSError(error, "no")

    monkeypatch.setattr(Database, "_prepare", failing)
    with opened(root, cache) as workspace:
        (root / "zebra.py").write_text("def a_late_zebra():\n    return 1\n")
        assert workspace.refresh().notes
        answer = workspace.search("a_late_zebra")
        assert "zebra.py" not in [hit.chunk.path for hit in answer.hits]
        assert answer.freshness.stale
        assert answer.notes
        monkeypatch.setattr(Database, "_prepare", prepare)
        workspace.refresh()
        answer = workspace.search("a_late_zebra")
        assert answer.hits[0].chunk.path == "zebra.py"
        assert not answer.freshness.stale
        assert not answer.notes
