"""Connections to index.db with vectors.db attached as `shared`: one to write with, a few to read with, and repair at
opening.

Both files are in WAL mode: readers see the last commit and never wait for the writer, so a query is not held up by
indexing. A transaction writes to one of the two files only. It begins with BEGIN, not BEGIN IMMEDIATE, which would
lock every attached file and make all workspaces of a user wait for each other's index commits; its first statement is
a write, so SQLite's busy timeout covers the one lock that is needed.

synchronous=NORMAL: the log is synced when it is copied into the database, not at each commit. A process that dies
(kill -9) loses nothing that was committed; a machine that loses power may lose the last commits of either file, each
file back to one of its own earlier states. Either order is consistent: a chunk whose vector is gone is pending
and embedded again, a vector that no chunk refers to is only unused, and a vector never changes, because its key is the
hash of what it was made from.

A file that is damaged (not a database, cut off, pages of garbage) is set aside as *.damaged-N with its log, a new one
takes its place, and a note says so. The index is then read from the workspace again, its vectors are still in the
shared file; if that one was damaged, the passages are embedded again. A complete check takes seconds on a large index,
so it is made only on suspicion: a length that does not match the header, or a failure while reading.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import DamagedStoreError, StoreError
from retrieval.private_files import FILE_MODE, private_cache, private_folder, touch_private
from retrieval.store.schema import (
    INDEX_MIGRATIONS,
    VECTORS_MIGRATIONS,
    Migration,
    check_version,
    migrate,
    transaction,
    version_of,
)
from retrieval.store.sqlite_errors import SQLITE_ERRORS, explain, explained, is_damage

INDEX_FILE = "index.db"

# Another workspace's batch of vectors takes milliseconds; waiting this long means that something hangs.
_BUSY_SECONDS = 20.0
_RETRY_SECONDS = 0.02
# Closing waits this long for running queries.
_CLOSE_SECONDS = 2.0
# Readers kept open for reuse: editors ask from few threads at once.
_IDLE_READERS = 4
# Pages kept in memory per connection, in KiB: the joins for pending work run over indexes of a few MB.
_CACHE_KIB = 8_000
# A log longer than this is cut back once it was copied.
_LOG_BYTES = 32 * 1024 * 1024
_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"


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


class Database:
    """The two files, opened, brought to the newest schema and, where damaged, replaced. Safe to use from any thread."""

    def __init__(self, directory: Path, vectors: Path, *, read_only: bool = False, check: bool = False) -> None:
        self.directory = directory
        self.index_path = directory / INDEX_FILE
        self.vectors_path = vectors
        self.read_only = read_only
        self.notes: list[str] = []
        self._write_lock = threading.RLock()
        self._vectors_lock = threading.RLock()
        self._vectors_writer: sqlite3.Connection | None = None
        self._readers = threading.Condition()
        self._idle: deque[sqlite3.Connection] = deque()
        self._in_use = 0  # of the readers
        self._closed = False
        self._frozen = False  # a read-only folder without a log: opened as immutable
        with explained(directory):
            self._writer = self._prepare(check)
        self._files = self._inodes()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; what it sees is the last commit at the time of each statement."""
        db = self._take_reader()
        whole = False
        try:
            yield db
            whole = True
        except SQLITE_ERRORS as error:
            raise explain(error, self.directory) from error
        finally:
            self._put_reader(db, again=whole)

    def _take_reader(self) -> sqlite3.Connection:
        with self._readers:
            db = self._idle.pop() if self._idle else None
            if db is not None:
                self._in_use += 1
        if db is None:
            db = self._reader()
            with self._readers:
                self._in_use += 1
        return db

    def _put_reader(self, db: sqlite3.Connection, *, again: bool) -> None:
        with self._readers:
            self._in_use -= 1
            keep = again and not self._closed and len(self._idle) < _IDLE_READERS
            if keep:
                self._idle.append(db)
            self._readers.notify_all()
        if not keep:
            self._close_quietly(db)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction on index.db, committed where the body ends well, rolled back where it does not."""
        with self._write_lock, self._transaction(lambda: self._writer) as db:
            yield db

    @contextmanager
    def writing_vectors(self) -> Iterator[sqlite3.Connection]:
        """One transaction on vectors.db, on a connection of its own: it goes on beside one on index.db."""
        with self._vectors_lock, self._transaction(self._vectors_connection) as db:
            yield db

    @contextmanager
    def _transaction(self, connection: Callable[[], sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
        if self.read_only:
            raise StoreError(f"The index in {self.directory} was opened for reading only.")
        with explained(self.directory):
            self._check_open()
            self._check_there()
            db = connection()
            with transaction(db):
                yield db

    def _vectors_connection(self) -> sqlite3.Connection:
        if self._vectors_writer is None:
            self._vectors_writer = self._open(f"{self.index_path.absolute().as_uri()}?mode=rw")
            self._vectors_writer.execute("PRAGMA shared.synchronous = NORMAL")
        return self._vectors_writer

    def checkpoint(self) -> None:
        """Copy the log into the database and sync both: a file saved afterwards matches what is on the disk."""
        with self.reading() as db:
            db.execute("PRAGMA main.wal_checkpoint(FULL)")

    def close(self) -> None:
        """Close the idle connections, after waiting a moment for those in use. Closing a connection during a statement of
        another thread would crash the process; whoever still has one closes it.
        """
        with self._write_lock, self._vectors_lock:
            with self._readers:
                self._closed = True
                self._readers.wait_for(lambda: not self._in_use, _CLOSE_SECONDS)
                idle = (*self._idle, self._writer, self._vectors_writer)
                self._idle.clear()
            for db in idle:
                if db is not None:
                    self._close_quietly(db)

    @property
    def closed(self) -> bool:
        return self._closed

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"The index in {self.directory} is closed.")

    def _check_there(self) -> None:
        """Raise DamagedStoreError where the files are no longer those that were opened: what is written to a deleted
        file is lost, and another process may have made new ones.
        """
        if self._files != self._inodes():
            raise DamagedStoreError(f"The index in {self.directory} was deleted or replaced: it is opened again.")

    def _inodes(self) -> tuple[int, ...]:
        return tuple(_inode(path) for _, path in self._files_and_paths())

    # -- opening ----------------------------------------------------------------------------------------------------

    def _prepare(self, check: bool) -> sqlite3.Connection:
        """The connection that writes, after repair and migration."""
        if self.read_only:
            return self._open_frozen_if_needed()
        private_cache(self.vectors_path.parent)
        private_folder(self.directory, top=self.vectors_path.parent)
        for _, path in self._files_and_paths():
            touch_private(path)  # SQLite gives its logs the mode of the database
        check = check or _looks_damaged(self.index_path) or _looks_damaged(self.vectors_path)
        try:
            return self._connect(check)
        except (*SQLITE_ERRORS, DamagedStoreError) as error:
            # A header that is cut off cannot even be attached, and says so as if the file could not be opened.
            whole = _has_header(self.index_path) and _has_header(self.vectors_path)
            if whole and not isinstance(error, DamagedStoreError) and not is_damage(error):
                raise
        with self._repair_lock():
            self._set_aside_damaged()
            return self._connect(check=False)

    def _connect(self, check: bool) -> sqlite3.Connection:
        """Open both files for writing. To make a file's log SQLite waits for nobody, so two that open a new cache at the
        same moment would fail: the later one tries again.
        """
        started = time.monotonic()
        while True:
            try:
                return self._connect_once(check)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() - started > _BUSY_SECONDS:
                    raise
                time.sleep(_RETRY_SECONDS)

    def _connect_once(self, check: bool) -> sqlite3.Connection:
        """Open both files for writing and migrate them; raises what SQLite raises where one is damaged."""
        db = self._open(f"{self.index_path.absolute().as_uri()}?mode=rwc")
        try:
            for file, path in self._files_and_paths():
                schema = file.schema
                db.execute(f"PRAGMA {schema}.journal_size_limit = {_LOG_BYTES}")
                check_version(version_of(db, schema), file.migrations, str(path))
                if db.execute(f"PRAGMA {schema}.journal_mode").fetchone()[0] != "wal":
                    db.execute(f"PRAGMA {schema}.journal_mode = WAL")
                db.execute(f"PRAGMA {schema}.synchronous = NORMAL")
                migrate(db, schema, file.migrations, str(path))
                _probe(db, file.schema, file, check)
        except BaseException:
            self._close_quietly(db)
            raise
        return db

    def _files_and_paths(self) -> tuple[tuple[DatabaseFile, Path], ...]:
        return (INDEX, self.index_path), (VECTORS, self.vectors_path)

    def _open(self, uri: str) -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            mode = uri.rpartition("?")[2]
            shared = self.vectors_path.absolute().as_uri() + "?" + mode
            if self.read_only and not self.vectors_path.exists():
                shared = ":memory:"
            db.execute("ATTACH ? AS shared", (shared,))
            if shared == ":memory:":
                migrate(db, "shared", VECTORS_MIGRATIONS, "memory")
        except BaseException:
            self._close_quietly(db)
            raise
        return db

    def _reader(self) -> sqlite3.Connection:
        self._check_open()
        with explained(self.directory):
            if not self.read_only:
                self._check_there()
            mode = "immutable=1" if self._frozen else "mode=ro" if self.read_only else "mode=rw"
            db = self._open(f"{self.index_path.absolute().as_uri()}?{mode}")
            db.execute("PRAGMA query_only = ON")
            return db

    def _open_frozen_if_needed(self) -> sqlite3.Connection:
        """Open for reading; where not even the log's index can be written, as a file that nobody changes."""
        if not self.index_path.exists():
            raise StoreError(f"There is no index in {self.directory} yet, and the folder cannot be written.")
        for self._frozen in (False, True):
            try:
                db = self._reader()
                for file, path in self._files_and_paths():
                    check_version(version_of(db, file.schema), file.migrations, str(path))
                    _probe(db, file.schema, file, check=False)
                return db
            except StoreError:
                if self._frozen:
                    raise
            except sqlite3.OperationalError:
                if self._frozen:
                    raise
        raise AssertionError("unreachable")

    def _close_quietly(self, db: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            db.close()

    # -- repair -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _repair_lock(self) -> Iterator[None]:
        """Two processes must not set aside each other's new file."""
        lock = FileLock(self.vectors_path.with_name("repair.lock"), timeout=_BUSY_SECONDS, mode=FILE_MODE)
        try:
            with lock:
                yield
        except Timeout as error:
            raise StoreError(f"Another process is repairing the index in {self.directory}: try again.") from error

    def _set_aside_damaged(self) -> None:
        """Rename what is damaged out of the way, with its log, and note it."""
        for file, path in self._files_and_paths():
            reason = damage_of(path, file)
            if reason:
                aside = set_aside(path)
                self.notes.append(f"{path} was damaged ({reason}): it is set aside as {aside.name}, {file.remedy}.")


def damage_of(path: Path, file: DatabaseFile) -> str:
    """What is wrong with a database file, by a complete check; "" where nothing is."""
    if not path.exists():
        return ""
    if not _has_header(path):
        return "file is not a database"
    db = None
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
        check_version(version_of(db, "main"), file.migrations, str(path))
        _probe(db, "main", file, check=True)
    except (*SQLITE_ERRORS, DamagedStoreError) as error:
        if isinstance(error, DamagedStoreError) or is_damage(error):
            return str(error)
        raise
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


def _probe(db: sqlite3.Connection, schema: str, file: DatabaseFile, check: bool) -> None:
    """Read a row of every table; with `check`, look at every page. Raises where the file is damaged."""
    if version_of(db, schema) == 0:
        return  # new, and empty until it is migrated
    for table in file.tables:
        db.execute(f"SELECT * FROM {schema}.{table} LIMIT 1").fetchone()
    if check:
        found = str(db.execute(f"PRAGMA {schema}.quick_check(1)").fetchone()[0])
        if found != "ok":
            raise DamagedStoreError(found.splitlines()[0])
        if file is INDEX:  # quick_check knows nothing of full-text tables
            db.execute(f"INSERT INTO {schema}.words(words) VALUES ('integrity-check')")


def _inode(path: Path) -> int:
    """Identifies a file, so that a replacement is noticed; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _has_header(path: Path) -> bool:
    """Whether a file begins as a database does; an empty one is a database that nothing was written to."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return True
    return not header or (len(header) == _HEADER_BYTES and header.startswith(_MAGIC))


def _looks_damaged(path: Path) -> bool:
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
