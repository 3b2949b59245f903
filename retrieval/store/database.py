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
so it is made only on suspicion: a length that does not match the header, or a failure while reading. What counts as
damage, and what as trouble that passes, damage.py says.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retrieval.errors import DamagedStoreError, StorageFullError, StoreError, StoreIOError
from retrieval.private_files import private_cache, private_folder, touch_private
from retrieval.store.bad_blocks import has_bad_blocks
from retrieval.store.damage import INDEX, VECTORS, DatabaseFile, check_tables, has_header, looks_damaged
from retrieval.store.file_locks import lock_failure
from retrieval.store.repair import note_of, repair_lock, set_aside_damaged
from retrieval.store.schema import VECTORS_MIGRATIONS, check_version, migrate, supplement, transaction, version_of
from retrieval.store.sqlite_errors import SQLITE_ERRORS, cannot_lock, explain, explained, is_trouble

INDEX_FILE = "index.db"

# Another workspace's batch of vectors takes milliseconds; waiting this long means that something hangs.
BUSY_SECONDS = 20.0
_RETRY_SECONDS = 0.02
# Closing waits this long for running queries.
_CLOSE_SECONDS = 2.0
# Readers kept open for reuse: editors ask from few threads at once.
_IDLE_READERS = 4
# Pages kept in memory per connection, in KiB: the joins for pending work run over indexes of a few MB.
_CACHE_KIB = 8_000
# A log longer than this is cut back once it was copied.
_LOG_BYTES = 32 * 1024 * 1024
# A complete check looks after so many steps of SQLite (about a millisecond) whether it is cancelled.
_CHECK_STEPS = 20_000


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

    def check_pages(self, cancelled: Callable[[], bool]) -> bool:
        """Look at every page of both files, on a connection of its own; False where cancelled. Raises DamagedStoreError,
        StoreError.
        """
        with explained(self.directory):
            self._check_open()
            self._check_there()
            db = self._open(f"{self.index_path.absolute().as_uri()}?mode=rw")
            try:
                db.set_progress_handler(cancelled, _CHECK_STEPS)
                for file, _ in self._files_and_paths():
                    check_tables(db, file.schema, file, every_page=True)
            except sqlite3.OperationalError:
                if cancelled():
                    return False
                raise
            finally:
                self._close_quietly(db)
        return not cancelled()

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
        if (failure := lock_failure(self.directory)) is not None:
            raise StorageFullError(cannot_lock(self.directory, failure))
        check = check or looks_damaged(self.index_path) or looks_damaged(self.vectors_path)
        try:
            return self._connect(check)
        except (*SQLITE_ERRORS, DamagedStoreError, StoreIOError) as error:
            if self._will_pass(error):
                raise
        with repair_lock(self.vectors_path.parent):
            replaced = set_aside_damaged(self._files_and_paths())
            db = self._connect(check=False)
            self.notes += [note_of(file, db) for file in replaced]
            return db

    def _will_pass(self, error: Exception) -> bool:
        """Whether an error is about what is around the files, so that trying again later may help.

        Damage has many faces: a header that is cut off cannot even be attached, and says so as if the file could not be
        opened. So whatever it was, if not what is around the files, they are looked at.
        """
        reads_fail = isinstance(error, StoreIOError) or "disk i/o error" in str(error).lower()
        try:
            is_whole = has_header(self.index_path) and has_header(self.vectors_path)
        except OSError:
            is_whole = reads_fail = True
        if reads_fail and any(has_bad_blocks(path) for _, path in self._files_and_paths()):
            return False
        return is_whole and (reads_fail or is_trouble(error))

    def _connect(self, check: bool) -> sqlite3.Connection:
        """Open both files for writing. To make a file's log SQLite waits for nobody, so two that open a new cache at the
        same moment would fail: the later one tries again.
        """
        started = time.monotonic()
        while True:
            try:
                return self._connect_once(check)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() - started > BUSY_SECONDS:
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
                check_tables(db, schema, file, every_page=check)
        except BaseException:
            self._close_quietly(db)
            raise
        return db

    def _files_and_paths(self) -> tuple[tuple[DatabaseFile, Path], ...]:
        return (INDEX, self.index_path), (VECTORS, self.vectors_path)

    def _open(self, uri: str) -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            mode = uri.rpartition("?")[2]
            shared = self.vectors_path.absolute().as_uri() + "?" + mode
            if self.read_only and not self.vectors_path.exists():
                shared = ":memory:"
            db.execute("ATTACH ? AS shared", (shared,))
            if shared == ":memory:":
                migrate(db, "shared", VECTORS_MIGRATIONS, "memory")
            if self.read_only:
                supplement(db)
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
        attempts = (False, True) if lock_failure(self.directory) is None else (True,)  # else it would wait for locks
        for self._frozen in attempts:
            try:
                db = self._reader()
                for file, path in self._files_and_paths():
                    check_version(version_of(db, file.schema), file.migrations, str(path))
                    check_tables(db, file.schema, file, every_page=False)
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


def _inode(path: Path) -> int:
    """Identifies a file, so that a replacement is noticed; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0
