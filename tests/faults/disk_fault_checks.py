"""What the engine says and keeps while system calls fail: run by test_disk_faults.py, in a process of its own."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from retrieval.engine import Workspace
from retrieval.errors import IndexLockedError, StorageFullError, StoreError
from retrieval.store import bad_blocks, database
from tests.engine.indexed import CountingEncoder, check_equals_fresh, rows_of, write_project
from tests.faults.disk_faults import Fault, failing

QUERY = "send request"
PAGE = 4096


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path / "root", 3)
    return tmp_path / "root"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def indexed(root: Path, cache: Path) -> list[tuple[object, ...]]:
    """The rows of an index that is there."""
    with opened(root, cache) as workspace:
        workspace.refresh()
        return rows_of(workspace)


def opened(root: Path, cache: Path) -> Workspace:
    return Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache)


def set_aside(cache: Path) -> list[str]:
    return [path.name for path in cache.rglob("*damaged*")]


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EINVAL, errno.EAGAIN])
def test_an_index_is_read_where_files_cannot_be_locked(
    root: Path, cache: Path, indexed: list[tuple[object, ...]], error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 3_600.0)  # to wait for another process would be to wait for ever
    with failing(Fault("lock", error, "/cache/")), opened(root, cache) as workspace:
        report = workspace.refresh()
        answer = workspace.search(QUERY)
        assert rows_of(workspace) == indexed
        assert answer.freshness.stale
        assert any("cannot be locked" in note for note in answer.notes)
        assert any("cannot be locked" in note for note in report.notes)


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EINVAL, errno.EAGAIN])
def test_no_index_is_made_where_files_cannot_be_locked(root: Path, cache: Path, error: int) -> None:
    with failing(Fault("lock", error, "/cache/")), pytest.raises(StorageFullError, match="cannot be locked"):
        opened(root, cache)


def test_a_writer_lock_that_fails_is_not_another_process(
    root: Path, cache: Path, indexed: list[tuple[object, ...]]
) -> None:
    with (
        failing(Fault("flock", errno.ENOLCK, "writer.lock")),
        opened(root, cache) as workspace,
        pytest.raises(StorageFullError, match="cannot be locked"),
    ):
        workspace.refresh()
    assert indexed


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("write", errno.EFBIG, "index.db-wal", skip=3), "cannot be written"),
        (Fault("write", errno.EIO, "index.db-wal", skip=3), "cannot be written"),
        (Fault("mmap", errno.ENODEV, "index.db-shm"), "mmap"),
        (Fault("mmap", errno.ENOMEM, "vectors.db-shm"), "mmap"),
        (Fault("read", errno.EIO, "index.db", skip=8), "cannot be read"),
    ],
    ids=lambda value: f"{value.call}-{errno.errorcode[value.error]}" if isinstance(value, Fault) else "",
)
def test_a_disk_that_fails_is_not_called_damage(
    root: Path, cache: Path, indexed: list[tuple[object, ...]], fault: Fault, reason: str
) -> None:
    (root / "zebra.py").write_text("def a_late_zebra():\n    return 1\n")
    with failing(fault), pytest.raises(StoreError, match=reason) as raised, opened(root, cache) as workspace:
        workspace.refresh()
        workspace.search(QUERY)
    assert not isinstance(raised.value, IndexLockedError)
    assert "amaged" not in str(raised.value)
    assert set_aside(cache) == []
    with opened(root, cache) as workspace:
        workspace.refresh()
        check_equals_fresh(workspace, cache.with_name("fresh"))
    assert indexed


@pytest.mark.parametrize("name", ["vectors.db", "index.db"])
@pytest.mark.parametrize("count", [1, 5, -1])
def test_reads_that_fail_for_a_moment_set_no_file_aside(
    root: Path, cache: Path, indexed: list[tuple[object, ...]], name: str, count: int
) -> None:
    for skip in range(1, 40, 6):
        try:
            with failing(Fault("read", errno.EIO, name, skip, count)), opened(root, cache) as workspace:
                workspace.refresh()
                workspace.search(QUERY)
                workspace.writer.repair(workspace.store)
        except StoreError as error:
            assert "amaged" not in str(error)
    assert set_aside(cache) == []
    with opened(root, cache) as workspace:
        assert rows_of(workspace) == indexed


@pytest.mark.parametrize("name", ["vectors.db", "index.db"])
@pytest.mark.parametrize("page", [0, 3, 11, -1])
def test_a_part_of_a_file_that_the_disk_has_lost_blocks_nothing(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, page: int
) -> None:
    """The first page has the tables' names; the last is far from it."""
    monkeypatch.setattr(bad_blocks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(bad_blocks, "BLOCK_BYTES", PAGE)
    with opened(root, cache) as workspace:
        workspace.refresh()
        before = rows_of(workspace)
        workspace.store.checkpoint()
    [path] = cache.rglob(name)
    status = path.stat()
    start = (page % (status.st_size // PAGE)) * PAGE
    lost = Fault("read", errno.EIO, f"#{status.st_ino}", span=(start, start + PAGE))
    with failing(lost), opened(root, cache) as workspace:
        workspace.refresh()
        workspace.search(QUERY)
        workspace.writer.repair(workspace.store)  # as a query does that meets the page
        workspace.refresh()
        assert rows_of(workspace) == before
        notes = set(workspace.search(QUERY).notes)
        assert len(notes) == 1, notes
        assert all("cannot be read from the disk" in note for note in notes)
        embedded = len(workspace.encoder.passages)  # type: ignore[attr-defined]
    with failing(lost), opened(root, cache) as workspace:  # said once
        workspace.refresh()
        assert rows_of(workspace) == before
        assert not workspace.search(QUERY).notes
        assert workspace.encoder.passages == []  # type: ignore[attr-defined]
    if name == "index.db":
        assert embedded == 0
    elif page == -1:
        assert 0 < embedded < len(before) / 2  # the vectors on other pages are kept


def test_a_share_that_is_away_sets_no_file_aside(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, indexed: list[tuple[object, ...]]
) -> None:
    monkeypatch.setattr(bad_blocks, "PAUSE_SECONDS", 0.0)
    [path] = cache.rglob("vectors.db")
    away = Fault("read", errno.ESTALE, "vectors.db", span=(PAGE, path.stat().st_size))
    with failing(away), pytest.raises(StoreError), opened(root, cache) as workspace:
        workspace.refresh()
        workspace.search(QUERY)
        workspace.writer.repair(workspace.store)
    assert set_aside(cache) == []
    with opened(root, cache) as workspace:
        assert rows_of(workspace) == indexed
