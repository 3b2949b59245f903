"""Sets damaged databases aside, so that new ones take their place, and saves of them what can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import StoreError, StoreIOError
from retrieval.private_files import FILE_MODE
from retrieval.store.bad_blocks import BAD_BLOCKS, has_bad_blocks, rescue_vectors
from retrieval.store.damage import VECTORS, DatabaseFile, damage_of, set_aside

# To set a file aside and make a new one takes seconds at most.
_LOCK_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file that was set aside: where it is now, what is said about it, and whether vectors can still be read of it."""

    path: Path
    note: str
    has_vectors: bool


@contextmanager
def repair_lock(folder: Path) -> Iterator[None]:
    """Two processes must not set aside each other's new file."""
    lock = FileLock(folder / "repair.lock", timeout=_LOCK_SECONDS, mode=FILE_MODE)
    try:
        with lock:
            yield
    except Timeout as error:
        raise StoreError(f"Another process is repairing the index in {folder}: try again.") from error


def set_aside_damaged(files: Sequence[tuple[DatabaseFile, Path]]) -> list[Replaced]:
    """Rename what is damaged, or was lost in parts by the disk, out of the way, with its log."""
    replaced = []
    for file, path in files:
        is_lost = has_bad_blocks(path)
        reason = BAD_BLOCKS if is_lost else damage_of(path, file)
        if not reason:
            continue
        try:
            aside = set_aside(path)
        except PermissionError as error:  # Windows renames no file that another process has open
            why = f"{path} is damaged ({reason}) and in use: close other programs that use the index, and try again."
            raise StoreIOError(why) from error
        has_vectors = is_lost and file is VECTORS
        note = f"{path} was damaged ({reason}): it is set aside as {aside.name}"
        replaced.append(Replaced(aside, note if has_vectors else f"{note}, {file.remedy}.", has_vectors))
    return replaced


def note_of(replaced: Replaced, db: sqlite3.Connection) -> str:
    """What is said about a file that was set aside, after the vectors that can still be read of it were copied."""
    if not replaced.has_vectors:
        return replaced.note
    return f"{replaced.note}, {rescue_vectors(replaced.path, db):,} vectors were copied, the others are made again."
