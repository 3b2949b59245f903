"""Files that are not what was written, folders that cannot be written, disks that are full, formats of the future."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.errors import NewerSchemaError, StorageFullError, StoreError, StoreIOError
from retrieval.store import Store, split_identifiers
from retrieval.store.schema import INDEX_MIGRATIONS
from tests import disks
from tests.store.stored import update, vectors


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def garbage(path: Path) -> None:
    path.write_bytes(b"\xa5garbage" * (path.stat().st_size // 8))


def garbage_inside(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def cut_header(path: Path) -> None:
    os.truncate(path, 50)


def fill(store: Store) -> None:
    store.apply([update(f"f{n}.py", *(f"name{n}x{m}: text of it" for m in range(20))) for n in range(20)])
    store.vectors.put("e", [row.passage for row in store.vectors.pending("e", 999)], vectors(400))


@pytest.mark.parametrize("damage", [truncate, zero, garbage, garbage_inside, cut_header])
def test_a_damaged_index_is_set_aside_and_nothing_is_embedded_twice(
    opened: Callable[..., Store], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = opened()
    fill(store)
    store.close()
    damage(tmp_path / "index" / "index.db")
    store = opened(check=True)
    assert len(store.notes) == 1
    assert "set aside" in store.notes[0]
    assert store.chunks.count() == 0
    assert list((tmp_path / "index").glob("*.damaged-1"))
    fill_again = [update(f"f{n}.py", *(f"name{n}x{m}: text of it" for m in range(20))) for n in range(20)]
    store.apply(fill_again)
    assert store.vectors.pending_count("e") == 0


@pytest.mark.parametrize("damage", [truncate, zero, garbage, garbage_inside, cut_header])
def test_damaged_vectors_are_set_aside_and_the_index_stays(
    opened: Callable[..., Store], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = opened()
    fill(store)
    store.close()
    damage(tmp_path / "vectors.db")
    store = opened(check=True)
    assert "set aside" in store.notes[0]
    assert store.chunks.count() == 400
    assert store.vectors.pending_count("e") == 400


@pytest.mark.parametrize("damage", [truncate, zero, garbage, cut_header])
def test_damage_that_the_header_shows_is_found_without_a_complete_check(
    opened: Callable[..., Store], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = opened()
    fill(store)
    store.close()
    damage(tmp_path / "index" / "index.db")
    assert "set aside" in opened().notes[0]


HEADER_DAMAGE = {
    "the version of no program": (60, 1),
    "no version, but tables": (63, 0),
    "another encoding": (59, 2),
    "the first page": (100, 0),
    "cells beyond the first page": (103, 255),
}


@pytest.mark.parametrize(("offset", "value"), HEADER_DAMAGE.values(), ids=HEADER_DAMAGE.keys())
@pytest.mark.parametrize("name", ["index/index.db", "vectors.db"])
def test_a_single_byte_of_the_header_does_not_block_the_index(
    opened: Callable[..., Store], tmp_path: Path, name: str, offset: int, value: int
) -> None:
    store = opened()
    fill(store)
    store.close()
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    data[offset] = value
    path.write_bytes(data)
    with opened() as store:
        assert [note for note in store.notes if "set aside" in note and str(path) in note]
        store.apply([update("a.py", "one")])


def test_damage_that_opening_meets_is_repaired(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Every page: no open fails for good, whichever page it reads first."""
    store = opened()
    fill(store)
    store.close()
    path = tmp_path / "index" / "index.db"
    data = path.read_bytes()
    for start in range(4096, len(data), 4096):
        path.write_bytes(data[:start] + b"\xa5" * 4096 + data[start + 4096 :])
        for log in path.parent.glob("index.db-*"):
            log.unlink()
        with opened():
            pass


def test_a_damaged_file_that_another_process_has_open_on_windows_is_one_sentence(
    opened: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    fill(store)
    store.close()
    zero(tmp_path / "vectors.db")
    rename = Path.rename

    def refused(path: Path, target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(StoreIOError, match=r"vectors\.db is damaged .* in use"):
        opened()
    monkeypatch.setattr(Path, "rename", rename)
    assert "set aside" in opened().notes[0]


def test_an_index_of_a_newer_program_is_not_touched(opened: Callable[..., Store], tmp_path: Path) -> None:
    opened().close()
    path = tmp_path / "index" / "index.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(INDEX_MIGRATIONS) + 1}")
        db.commit()
    before = path.read_bytes()
    with pytest.raises(NewerSchemaError, match="update c2llm-lsp"):
        opened()
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


def test_two_openings_at_once_migrate_once(opened: Callable[..., Store]) -> None:
    first, second = opened(), opened()
    first.apply([update("a.py", "one")])
    assert second.chunks.count() == 1


def test_an_empty_file_is_a_new_index(opened: Callable[..., Store], tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "index.db").touch()
    assert opened().chunks.count() == 0


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.chunks.count()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with disks.small_disk(tmp_path / "disk", 2) as folder:
        yield folder


def test_a_full_disk_is_an_error_that_loses_nothing(small_disk: Path) -> None:
    with Store.open(small_disk / "index", vectors=small_disk / "vectors.db") as store:
        store.apply([update("kept.py", "kept: stays")])
        with pytest.raises(StorageFullError, match="No room"):
            for n in range(2_000):
                store.apply([update(f"f{n}.py", *(f"n{n}x{m}: {'word ' * 50}" for m in range(20)))])
        indexed = set(store.files.all())
        assert "kept.py" in indexed
        assert store.full_text.search(split_identifiers("stays").split(), 5, (1, 1, 1))
        with pytest.raises(StorageFullError):
            for seed in range(2_000):
                store.vectors.put("e", [bytes([seed % 256, i]) * 8 for i in range(200)], vectors(200, 256, seed))
                store.apply([update(f"g{seed}.py", "x: " + "other " * 500)])
        (small_disk / "hog").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    with Store.open(small_disk / "index", vectors=small_disk / "vectors.db", check=True) as store:
        assert not store.notes
        assert indexed <= set(store.files.all())
        store.apply([update("after.py", "after: room again")])
        assert store.full_text.search(split_identifiers("room").split(), 5, (1, 1, 1))


def test_no_room_to_begin_with_is_a_clear_error(small_disk: Path) -> None:
    with (small_disk / "hog").open("wb") as hog, pytest.raises(OSError):
        while True:
            hog.write(bytes(65536))
            hog.flush()
    with pytest.raises(StorageFullError, match="C2LLM_CACHE_DIR"):
        Store.open(small_disk / "index", vectors=small_disk / "vectors.db")


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A filled cache folder on a file system mounted for reading only."""
    folder = tmp_path / "frozen"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    with Store.open(folder / "index", vectors=folder / "vectors.db") as store:
        fill(store)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_folder_that_cannot_be_written_is_read(frozen: Path) -> None:
    with pytest.raises(StorageFullError, match="cannot be written"):
        Store.open(frozen / "index", vectors=frozen / "vectors.db")
    with Store.open(frozen / "index", vectors=frozen / "vectors.db", read_only=True) as store:
        assert store.chunks.count() == 400
        assert store.vectors.pending_count("e") == 0
        assert store.full_text.search(["text"], 5, (1, 1, 1))
        with pytest.raises(StoreError, match="reading only"):
            store.apply([update("a.py", "x")])


def test_a_folder_that_cannot_be_written_and_holds_nothing_is_a_clear_error(frozen: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(frozen / "other", vectors=frozen / "vectors.db", read_only=True)
