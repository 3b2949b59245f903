"""Chunk boundaries of earlier versions of files, by path and digest of the content.

A cache, so that switching back to a branch parses nothing. It is bounded: beyond MAX_BYTES the least recently used rows are
deleted, a quarter at a time. The format of the bytes is the caller's business (see chunking/boundaries.py). The table and the
key in meta are called "borders" on disk: renaming them would need a migration and gain nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from retrieval.store.rows import FileRow, FileUpdate

# Some 250 bytes a chunk: three versions of a workspace of 50,000 chunks.
MAX_BYTES = 32 * 1024 * 1024
_KEPT_SHARE = 0.75
# The time of use is updated when it is at least this old: switching back and forth between branches writes nothing.
_TOUCH_SECONDS = 3_600

BOUNDARIES_BYTES = "borders_bytes"


def find_boundaries(db: sqlite3.Connection, path: str, digest: bytes) -> tuple[bytes, bytes] | None:
    """The boundaries and the structure; the latter is empty where an earlier version stored the row."""
    sql = "SELECT data, structure FROM main.borders WHERE path = ? AND digest = ?"
    row = db.execute(sql, (path, digest)).fetchone()
    return (bytes(row[0]), bytes(row[1])) if row else None


def remember_boundaries(db: sqlite3.Connection, updates: Iterable[FileUpdate], *, now: int | None = None) -> None:
    """Store new boundaries, update the time of use of others, and evict the oldest beyond the size limit."""
    now = int(time.time()) if now is None else now
    added = 0
    for update in updates:
        file = update.file
        if update.boundaries is not None:
            structure = update.structure.data if update.structure is not None else b""
            added += _put(db, file, now, update.boundaries, structure)
        elif update.chunks:
            db.execute(
                "UPDATE main.borders SET used = ? WHERE path = ? AND digest = ? AND used < ?",
                (now, file.path, file.digest, now - _TOUCH_SECONDS),
            )
    if added:
        total = _total(db) + added
        _note(db, total if total <= MAX_BYTES else _evict(db, total))


def _put(db: sqlite3.Connection, file: FileRow, now: int, data: bytes, structure: bytes) -> int:
    """Insert or replace; returns the bytes added."""
    before = find_boundaries(db, file.path, file.digest) or ()
    db.execute(
        """INSERT INTO main.borders(path, digest, used, data, structure) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT(path, digest) DO UPDATE SET used = excluded.used, data = excluded.data,
           structure = excluded.structure""",
        (file.path, file.digest, now, data, structure),
    )
    return len(data) + len(structure) - sum(map(len, before))


def _evict(db: sqlite3.Connection, total: int) -> int:
    """Delete the least recently used rows; returns the bytes left."""
    gone = []
    for row_id, size in db.execute("SELECT id, length(data) + length(structure) FROM main.borders ORDER BY used, id"):
        if total <= MAX_BYTES * _KEPT_SHARE:
            break
        gone.append((row_id,))
        total -= size
    db.executemany("DELETE FROM main.borders WHERE id = ?", gone)
    return total


def _total(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM main.meta WHERE key = ?", (BOUNDARIES_BYTES,)).fetchone()
    return int(row[0]) if row else 0


def _note(db: sqlite3.Connection, total: int) -> None:
    db.execute("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", (BOUNDARIES_BYTES, total))
