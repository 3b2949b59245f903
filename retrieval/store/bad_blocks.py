"""Files of which a disk has lost a part for good, and the vectors that can still be read of one.

A read that fails once says nothing: the disk may be away for a moment. Blocks that fail at each of several attempts, while the
rest of the file is read, do not come back by themselves, and whoever needs them would be stuck for ever. Vectors take
long to make, so those in other blocks are copied to the new file.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from retrieval.store.schema import transaction

BLOCK_BYTES = 64 * 1024
_ATTEMPTS = 3
PAUSE_SECONDS = 0.5  # between two attempts, while a query waits
# A disk may take seconds for each block that it cannot read.
_MOST_BAD_BLOCKS = 64
# What a disk reports of a block that it has lost. A network share that is away has others (ESTALE, ETIMEDOUT, ENOTCONN).
_LOST = tuple(getattr(errno, name) for name in ("EIO", "ENODATA", "EBADMSG", "EUCLEAN") if hasattr(errno, name))
_ROWS = 500  # that are copied at a time

BAD_BLOCKS = "parts of it cannot be read from the disk, which may be failing"

_Row = tuple[int, int, bytes, int, bytes]


def has_bad_blocks(path: Path) -> bool:
    """Whether the same parts of a database or its log fail to be read at each of several attempts, and others do not."""
    logs = (path, path.with_name(f"{path.name}-wal"))
    return any(file.exists() and _fails_for_good(file) for file in logs)


def _fails_for_good(path: Path) -> bool:
    lost: set[int] | None = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        bad, good = _read_blocks(path)
        lost = bad if lost is None else lost & bad
        if not lost or not good:
            return False
    return True


def _read_blocks(path: Path) -> tuple[set[int], int]:
    """Which blocks of a file cannot be read, and how many can; everything is "cannot" where the trouble is of another kind."""
    bad: set[int] = set()
    good = 0
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            for start in range(0, size, BLOCK_BYTES):
                try:
                    file.seek(start)
                    file.read(BLOCK_BYTES)
                    good += 1
                except OSError as error:
                    if error.errno not in _LOST:
                        return set(), 0
                    bad.add(start)
                if len(bad) >= _MOST_BAD_BLOCKS:
                    break
    except OSError:
        return set(), 0
    return bad, good


def rescue_vectors(aside: Path, db: sqlite3.Connection) -> int:
    """Copy what can be read of a file of vectors that was set aside into the one that is attached as `shared`; how many."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{aside.absolute().as_uri()}?mode=ro", uri=True)) as source,
    ):
        encoders = _copy_encoders(source, db)
        rescued = 0
        for rows in _readable(source):
            known = [(encoders[encoder], *row) for _, encoder, *row in rows if encoder in encoders]
            sql = "INSERT OR IGNORE INTO shared.vectors(encoder, passage, made, data) VALUES (?, ?, ?, ?)"
            with transaction(db):
                rescued += db.executemany(sql, known).rowcount
        return rescued
    return 0


def _copy_encoders(source: sqlite3.Connection, db: sqlite3.Connection) -> dict[int, int]:
    """The ids of the encoders in the new file, where another process may have stored some already, by those in the old one."""
    copied = {}
    with transaction(db):
        for old, *encoder in source.execute("SELECT id, fingerprint, name, dimension FROM encoders").fetchall():
            db.execute("INSERT OR IGNORE INTO shared.encoders(fingerprint, name, dimension) VALUES (?, ?, ?)", encoder)
            row = db.execute("SELECT id FROM shared.encoders WHERE fingerprint = ?", encoder[:1]).fetchone()
            copied[old] = int(row[0])
    return copied


def _readable(source: sqlite3.Connection) -> Iterator[list[_Row]]:
    """The rows in order of id. Behind one that fails it goes on with steps that double, as whole pages fail."""
    start, step, portion = 0, 1, _ROWS
    while start < 1 << 62:
        try:
            rows: list[_Row] = source.execute(
                "SELECT id, encoder, passage, made, data FROM vectors WHERE id >= ? ORDER BY id LIMIT ?",
                (start, portion),
            ).fetchall()
        except sqlite3.Error:
            if portion > 1:
                portion = max(1, portion // 8)  # fewer rows: those before the failing one
                continue
            start, step = start + step, step * 2
            continue
        if not rows:
            return
        yield rows
        start, step, portion = rows[-1][0] + 1, 1, min(_ROWS, portion * 2)
