"""The two database files, and damage to them: found, told apart from trouble that passes, and set aside.

Damage is what a complete check finds in bytes that can be read. A read that fails says nothing about the file: a disk that
was away for a moment, a network share, a full table of locks. SQLite mixes the two in its reports ("btreeInitPage() returns
error code 10"), so their codes are looked at, and a file is set aside only after all of it could be read. The one exception is a
file that the disk has lost a part of for good (bad_blocks.py).
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import DamagedStoreError, StoreIOError
from retrieval.store.schema import INDEX_MIGRATIONS, VECTORS_MIGRATIONS, Migration, check_version, version_of
from retrieval.store.sqlite_errors import CANNOT_READ, SQLITE_ERRORS, is_damage, is_trouble

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_BLOCK_BYTES = 1 << 20
_BUSY_SECONDS = 20.0
_ERROR_CODE = re.compile(r"error code[ =](\d{1,6})")
# What SQLite calls a page that is not what it should be: SQLITE_CORRUPT, SQLITE_NOTADB. Others are failures to read.
_DAMAGE_CODES = (11, 26)
# In the table meta: what somebody who compared the rows with each other has found, which no check of pages would.
DAMAGED_KEY = "damaged"


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """One of the two files: the name it is attached by, how it is made, what must be readable, what repairs it."""

    schema: str
    migrations: tuple[Migration, ...]
    tables: tuple[str, ...]
    remedy: str


INDEX = DatabaseFile(
    "main",
    INDEX_MIGRATIONS,
    ("meta", "files", "chunks", "words_config"),
    "the workspace is read again, nothing is embedded twice",
)
VECTORS = DatabaseFile("shared", VECTORS_MIGRATIONS, ("meta", "encoders", "vectors"), "the passages are embedded again")


def damage_of(path: Path, file: DatabaseFile) -> str:
    """What is wrong with a database file, by a complete check; "" where nothing is. Raises StoreIOError, OSError and
    SQLite's errors where it cannot be checked.
    """
    if not path.exists():
        return ""
    if not has_header(path):
        return "file is not a database"
    db = None
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
        check_version(version_of(db, "main"), file.migrations, str(path))
        check_tables(db, "main", file, every_page=True)
    except (*SQLITE_ERRORS, DamagedStoreError) as error:
        if is_trouble(error) or not (isinstance(error, DamagedStoreError) or is_damage(error)):
            raise
        _read_all(path)
        return str(error)
    finally:
        if db is not None:
            db.close()
    return ""


def set_aside(path: Path) -> Path:
    """Rename a database and its log out of the way. A log that stayed behind would be replayed into the new file."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            log.rename(aside.with_name(aside.name + suffix))
    return aside


def check_tables(db: sqlite3.Connection, schema: str, file: DatabaseFile, *, every_page: bool) -> None:
    """Read a row of every table, or every page. Raises DamagedStoreError or what SQLite raises."""
    if version_of(db, schema) == 0:
        if db.execute(f"SELECT 1 FROM {schema}.sqlite_master LIMIT 1").fetchone():
            raise DamagedStoreError("file has tables and no version")
        return  # new, and empty until it is migrated
    if (encoding := db.execute("PRAGMA encoding").fetchone()[0]) != "UTF-8":
        raise DamagedStoreError(f"file claims to be in {encoding}")
    for table in file.tables:
        db.execute(f"SELECT * FROM {schema}.{table} LIMIT 1").fetchone()
    if every_page:
        if found := db.execute(f"SELECT value FROM {schema}.meta WHERE key = '{DAMAGED_KEY}'").fetchone():
            raise DamagedStoreError(str(found[0]))
        report = str(db.execute(f"PRAGMA {schema}.integrity_check(1)").fetchone()[0])
        if report != "ok":
            raise _finding(report)
        if file is INDEX:  # which knows nothing of full-text tables
            db.execute(f"INSERT INTO {schema}.words(words) VALUES ('integrity-check')")


def has_header(path: Path) -> bool:
    """Whether a file begins as a database does; an empty one is a database that nothing was written to."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return True
    return not header or (len(header) == _HEADER_BYTES and header.startswith(_MAGIC))


def looks_damaged(path: Path) -> bool:
    """Whether a file is no database by its first bytes, or shorter than they say.

    That is a cut-off copy, or a log that is not copied back yet, which a complete check tells apart.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if not header:
            return False
        if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
            return True
        page = int.from_bytes(header[16:18], "big")
        return path.stat().st_size < (65_536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    except OSError:
        return False


def _finding(report: str) -> DamagedStoreError | StoreIOError:
    """What a report of SQLite's check says: that a page is wrong, or that it could not be read."""
    codes = [int(code) & 0xFF for code in _ERROR_CODE.findall(report)]
    if codes and not any(code in _DAMAGE_CODES for code in codes):
        return StoreIOError(f"{CANNOT_READ} ({report.splitlines()[-1].strip()}).")
    # The first line only names the database.
    lines = [line.strip() for line in report.splitlines() if not line.startswith("***")]
    return DamagedStoreError((lines or ["damaged"])[0])


def _read_all(path: Path) -> None:
    """Read every byte of a file. Raises OSError where that fails."""
    with path.open("rb") as file:
        while file.read(_BLOCK_BYTES):
            pass
