"""What queries and scans cannot notice is found at a quiet moment: swapped pages, changed rows, edits that keep size and times."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.engine import Workspace, verification
from retrieval.files import read_file
from tests.engine.indexed import CountingEncoder, answers_of, check_equals_fresh, rows_of, write_project

PAGE = 4096
SWAPS = 6  # a random number is enough: the campaign tries more
QUERY = "send request"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path / "root", 4)
    return tmp_path / "root"


@pytest.fixture
def reopened(root: Path, tmp_path: Path) -> Callable[[], Workspace]:
    return lambda: Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache")


def make_due(workspace: Workspace) -> None:
    workspace.store.meta.set(**{verification.PAGES_KEY: 0, verification.FILES_KEY: 0})


def write_as(path: Path, text: str) -> None:
    """Edit a file as a program does that puts its times back."""
    status = path.stat()
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def without_ctime(workspace: Workspace, path: Path) -> None:
    """Store for a file what a system would say that does not tell when it changed: its edit cannot be seen."""
    status = path.stat()
    with workspace.store.database.writing() as db:
        db.execute(
            "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, ctime_ns = ? WHERE path = ?",
            (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns, path.name),
        )


def test_pages_of_the_index_that_have_changed_places_are_found(
    reopened: Callable[[], Workspace], tmp_path: Path
) -> None:
    with reopened() as workspace:
        workspace.refresh()
        make_due(workspace)
        before = rows_of(workspace), answers_of(workspace)
    [path] = (tmp_path / "cache").rglob("index.db")
    data = path.read_bytes()
    pages = range(1, len(data) // PAGE)
    for seed in range(SWAPS):
        first, second = (number * PAGE for number in random.Random(seed).sample(pages, 2))
        swapped = bytearray(data)
        swapped[first : first + PAGE], swapped[second : second + PAGE] = (
            data[second : second + PAGE],
            data[first : first + PAGE],
        )
        path.write_bytes(swapped)
        with reopened() as workspace:
            make_due(workspace)
            workspace.verifier.run()
            workspace.refresh()
            assert (rows_of(workspace), answers_of(workspace)) == before, (first, second)
            assert len(workspace.search(QUERY).notes) == 1


def test_a_row_that_is_not_what_was_stored_is_made_anew(reopened: Callable[[], Workspace], tmp_path: Path) -> None:
    with reopened() as workspace:
        workspace.refresh()
        before = rows_of(workspace)
        with workspace.store.database.writing() as db:
            db.execute("UPDATE chunks SET text = replace(text, 'step_3', 'step_4') WHERE id = 5")
        make_due(workspace)
        workspace.encoder.passages.clear()  # type: ignore[attr-defined]
        workspace.verifier.run()
        assert rows_of(workspace) == before
        assert workspace.encoder.passages == []  # type: ignore[attr-defined]
        [note] = workspace.search(QUERY).notes
        assert "is not what was stored" in note
        workspace.verifier.run()  # what was made anew is not looked at again
        assert workspace.search(QUERY).notes == (note,)


@pytest.mark.parametrize(
    "change",
    [
        "chunks SET start_line = start_line | 1024",
        "chunks SET end_line = end_line + 1",
        "chunks SET start_byte = start_byte + 4",
        "chunks SET end_byte = end_byte - 1",
        "chunks SET kind = 'class'",
        "chunks SET language = 'ruby'",
        "chunks SET file = file + 1",
        "symbols SET last = last + 1",
        "symbols SET name = 'other'",
    ],
)
def test_columns_that_are_not_what_was_stored_are_found(
    root: Path, reopened: Callable[[], Workspace], change: str
) -> None:
    (root / "short.py").write_text("".join(f"def short_{k}():\n    return {k}\n\n\n" for k in range(9)))
    with reopened() as workspace:
        workspace.refresh()
        before = rows_of(workspace)
        row = "id = 5" if change.startswith("chunks") else "place = 0 AND chunk IN (SELECT max(chunk) FROM symbols)"
        with workspace.store.database.writing() as db:
            assert db.execute(f"UPDATE {change} WHERE {row}").rowcount == 1
        make_due(workspace)
        workspace.verifier.run()
        assert rows_of(workspace) == before
        [note] = workspace.search(QUERY).notes
        assert "not what was stored" in note


@pytest.mark.parametrize(
    "data",
    [
        "x''",
        f"x'{'ff' * 512}'",
        f"x'{'007c' * 256}'",
        f"x'{'00' * 512}'",
        "CAST(substr(data, 1, 400) || zeroblob(112) AS BLOB)",
    ],
    ids=["empty", "not a number", "infinite", "zeros", "zeros at its end"],
)
def test_vectors_that_are_none_are_made_anew(reopened: Callable[[], Workspace], tmp_path: Path, data: str) -> None:
    with reopened() as workspace:
        workspace.refresh()
        with workspace.store.database.writing_vectors() as db:
            db.execute(f"UPDATE shared.vectors SET data = {data} WHERE id IN (2, 7)")
    with reopened() as workspace:
        make_due(workspace)
        workspace.verifier.run()
        assert len(workspace.encoder.passages) == 2  # type: ignore[attr-defined]
        check_equals_fresh(workspace, tmp_path / "fresh")


def test_no_query_meets_a_vector_that_is_none(reopened: Callable[[], Workspace]) -> None:
    with reopened() as workspace:
        workspace.refresh()
        before = workspace.search(QUERY).hits
        with workspace.store.database.writing_vectors() as db:
            db.execute("UPDATE shared.vectors SET data = ? WHERE id = 3", (np.full(256, np.nan, "<f2").tobytes(),))
    with reopened() as workspace:
        workspace.search(QUERY)
        workspace.refresh()
        assert [(hit.chunk, hit.score) for hit in workspace.search(QUERY).hits] == [
            (hit.chunk, hit.score) for hit in before
        ]


def test_an_edit_that_kept_size_and_times_is_found_by_content(
    reopened: Callable[[], Workspace], root: Path, tmp_path: Path
) -> None:
    edited = root / "zebra.py"
    edited.write_text("def a_striped_zebra():\n    return 1\n")
    os.utime(edited, ns=(0, 1_000_000_000_000_000_000))
    with reopened() as workspace:
        workspace.refresh()
        write_as(edited, "def a_plain_donkey1():\n    return 1\n")
        without_ctime(workspace, edited)
        assert workspace.refresh().files_changed == 0
        make_due(workspace)
        workspace.verifier.run()
        assert workspace.search("a_plain_donkey1").hits[0].chunk.path == "zebra.py"
        check_equals_fresh(workspace, tmp_path / "fresh")


@pytest.mark.parametrize(("has_ctime", "found"), [(True, False), (False, True)])
def test_files_are_compared_each_hour_where_the_system_does_not_tell_of_edits(
    reopened: Callable[[], Workspace], root: Path, monkeypatch: pytest.MonkeyPatch, has_ctime: bool, found: bool
) -> None:
    monkeypatch.setattr(verification, "HAS_CTIME", has_ctime)
    now = 2_000_000_000
    monkeypatch.setattr(time, "time", lambda: float(now))
    edited = root / "zebra.py"
    edited.write_text("def a_striped_zebra():\n    return 1\n")
    with reopened() as workspace:
        workspace.refresh()
        write_as(edited, "def a_plain_donkey1():\n    return 1\n")
        without_ctime(workspace, edited)
        workspace.store.meta.set(**{verification.FILES_KEY: now - 2 * verification.HOUR})
        workspace.verifier.run()
        digest = workspace.store.files.all()["zebra.py"].digest
        assert (digest == read_file(root, "zebra.py").digest) is found  # type: ignore[union-attr]


def test_a_new_index_is_verified_a_day_later(
    reopened: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []
    now = [2_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    with reopened() as workspace:
        workspace.refresh()
        monkeypatch.setattr(workspace.verifier, "_check_store", lambda _stop: checks.append("store"))
        monkeypatch.setattr(workspace.verifier, "_compare_files", lambda _stop: checks.append("files"))
        workspace.verifier.run()
        assert checks == []
        now[0] += verification.DAY
        workspace.verifier.run()
        assert checks == ["store", "files"]
        now[0] = 0.0  # a clock that was set back is no reason never to look again
        workspace.verifier.run()
        assert checks == ["store", "files"] * 2


def test_what_is_cancelled_is_gone_on_with(reopened: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    stop = threading.Event()

    def digest_of_file(_root: Path, path: str, *, limit: int) -> bytes | None:
        compared.append(path)
        stop.set()
        return None

    monkeypatch.setattr(verification, "digest_of_file", digest_of_file)
    with reopened() as workspace:
        workspace.refresh()
        make_due(workspace)
        stop.set()
        workspace.verifier.run(stop)
        assert workspace.store.meta.get(verification.PAGES_KEY) == 0
        for _ in workspace.store.files.all():
            stop.clear()
            workspace.verifier.run(stop)
        assert compared == sorted(workspace.store.files.all())
        assert workspace.store.meta.get(verification.FILES_KEY) == 0
        stop.clear()
        workspace.verifier.run(stop)  # nothing was left of it
        assert workspace.store.meta.get(verification.FILES_KEY)


def test_an_index_that_can_only_be_read_is_not_verified(
    reopened: Callable[[], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    with reopened() as workspace:
        workspace.refresh()
        make_due(workspace)
        monkeypatch.setattr(type(workspace.store), "read_only", True)
        workspace.verifier.run()
        assert workspace.store.meta.get(verification.PAGES_KEY) == 0
