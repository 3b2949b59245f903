"""Whatever one file does, the others are indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.files import FAILED, FileStamp, file_reader
from retrieval.indexing import index_files
from retrieval.store import FileUpdate, Store
from retrieval.types import IndexReport

ODD = "odd.py"
INT64 = 1 << 63


def indexed(root: Path) -> tuple[IndexReport, dict[str, str | None]]:
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=root.parent / "cache") as workspace:
        report = workspace.refresh()
        return report, {path: row.skip for path, row in workspace.store.files.all().items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    for name in ("a.py", ODD, "z.py"):
        (tmp_path / "root" / name).write_text(f"def {name[:-3]}():\n    return 1\n")
    return tmp_path / "root"


def status(**changes: int) -> Any:
    return SimpleNamespace(
        **{"st_size": 1, "st_mtime_ns": 5, "st_ino": 7, "st_ctime_ns": 5, "st_mode": 0o100644} | changes
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"st_ino": INT64},
        {"st_ino": 2 * INT64 - 1},
        {"st_ino": 1 << 127},
        {"st_mtime_ns": -INT64 - 1},
        {"st_ctime_ns": -INT64 - 1},
    ],
    ids=str,
)
def test_a_stamp_fits_64_bits_and_still_tells_files_apart(changes: dict[str, int]) -> None:
    stamp = FileStamp.of(status(**changes), now_ns=10**18)
    assert all(-INT64 <= part < INT64 for part in stamp)
    assert stamp == FileStamp.of(status(**changes), now_ns=2 * 10**18)
    others = {name: value + 1 for name, value in changes.items()}
    assert stamp != FileStamp.of(status(**others), now_ns=10**18)


@pytest.mark.parametrize("changes", [{"st_ino": 2 * INT64 - 1}, {"st_mtime_ns": -2 * INT64}], ids=str)
def test_files_with_odd_stamps_are_indexed_and_not_read_again(
    monkeypatch: pytest.MonkeyPatch, root: Path, changes: dict[str, int]
) -> None:
    real = FileStamp.of

    def of(before: os.stat_result, now_ns: int) -> FileStamp:
        fields = {
            "st_size": before.st_size,
            "st_mtime_ns": before.st_mtime_ns,
            "st_ino": before.st_ino,
            "st_ctime_ns": 5,
        }
        return real(SimpleNamespace(**fields | changes), now_ns)  # type: ignore[arg-type]

    monkeypatch.setattr(FileStamp, "of", of)
    report, rows = indexed(root)
    assert (rows, report.files_changed) == ({"a.py": None, ODD: None, "z.py": None}, 3)
    assert indexed(root)[0].files_changed == 0


def failing_at_odd(real: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    def call(*values: Any, **named: Any) -> Any:
        if any(ODD in str(value) for value in values):
            raise error
        return real(*values, **named)

    return call


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (file_reader, "_read_once"),
        (index_files, "read_file"),
        (index_files, "language_of"),
        (index_files, "new_chunks"),
    ],
    ids=["read", "read_file", "language", "pieces"],
)
@pytest.mark.parametrize("error", [OverflowError("too large"), ValueError("odd"), RecursionError("deep")], ids=repr)
def test_an_unexpected_failure_costs_that_file_alone(
    monkeypatch: pytest.MonkeyPatch, root: Path, where: Any, name: str, error: Exception
) -> None:
    monkeypatch.setattr(where, name, failing_at_odd(getattr(where, name), error))
    report, rows = indexed(root)
    assert {path for path, skip in rows.items() if skip is None} == {"a.py", "z.py"}
    assert [(skip.path, skip.reason) for skip in report.skipped] == [(ODD, rows[ODD])]
    assert str(rows[ODD]).startswith(f"{FAILED}: {type(error).__name__}: ")
    monkeypatch.undo()
    assert indexed(root)[1][ODD] is None


def test_a_value_that_the_database_cannot_hold_costs_its_file_alone(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    real = Store.apply

    def apply(self: Store, updates: Sequence[FileUpdate], removed: Sequence[str] = ()) -> Any:
        if any(update.file.path == ODD and update.chunks for update in updates):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return real(self, updates, removed)

    (root / "gone.py").write_text("gone = 1\n")
    indexed(root)
    (root / "gone.py").unlink()
    for name in ("a.py", ODD, "z.py"):
        (root / name).write_text(f"def {name[:-3]}():\n    return 2\n")
    monkeypatch.setattr(Store, "apply", apply)
    report, rows = indexed(root)
    assert (report.files_changed, report.files_removed) == (3, 1)
    assert [path for path, skip in rows.items() if skip is None] == ["a.py", "z.py"]
    assert str(rows[ODD]).startswith(FAILED)
