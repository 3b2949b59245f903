"""The store as the rest of the engine sees it: one workspace's index and the user's shared vectors.

Files, chunks, full text and vectors are components over one database; this class holds what changes several of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from retrieval.errors import DamagedStoreError, StoreIOError
from retrieval.store.chunks import Chunks
from retrieval.store.damage import DAMAGED_KEY
from retrieval.store.database import Database
from retrieval.store.files import Files
from retrieval.store.full_text import FullText
from retrieval.store.index_writer import write_updates
from retrieval.store.meta import Meta, next_revision
from retrieval.store.rows import Applied, Counts, FileUpdate
from retrieval.store.shared_vectors import SharedVectors
from retrieval.store.structures import Structures


class Store:
    """Reading is safe from any thread; one process at a time writes (guarded by the workspace's lock)."""

    def __init__(self, database: Database, *, checked: bool = False) -> None:
        """`checked`: whether every page has just been looked at."""
        self.database = database
        self._checked = checked
        self.meta = Meta(database)
        self.files = Files(database)
        self.chunks = Chunks(database, self.meta)
        self.full_text = FullText(database, self.meta, self.chunks)
        self.vectors = SharedVectors(database, self.meta)
        self.structures = Structures(database)
        if not database.read_only:
            self.full_text.update_words()
            if not self.chunks.last_id():
                self.full_text.start_bm25()

    @classmethod
    def open(cls, directory: Path, *, vectors: Path, read_only: bool = False, check: bool = False) -> Store:
        """Open or create. `check` looks at every page first; damaged files are set aside and noted (see `notes`).

        Raises NewerSchemaError, StorageFullError, StoreIOError, StoreError.
        """
        database = Database(directory, vectors, read_only=read_only, check=check)
        try:
            return cls(database, checked=check)
        except (DamagedStoreError, StoreIOError):
            database.close()
            if check or read_only:
                raise
        return cls(Database(directory, vectors, check=True), checked=True)

    @property
    def revision(self) -> int:
        """Incremented by every commit that changes content; equal numbers mean equal content."""
        return self.meta.revision

    def apply(self, updates: Sequence[FileUpdate], removed: Sequence[str] = ()) -> Applied:
        """Store changed files and delete removed ones in one transaction."""
        alters = bool(removed) or any(update.chunks is not None for update in updates)
        with self.database.writing() as db:
            revision = next_revision(db) if alters else self.revision
            removed_ids, term_rows, kept = write_updates(db, updates, removed)
        if alters:
            self.full_text.follow(revision, term_rows, removed_ids)
        return Applied(revision, tuple(words[0] for words in term_rows), tuple(removed_ids), kept)

    def announce(self) -> int:
        """Increment the revision, because readers have something new to load (vectors)."""
        with self.database.writing() as db:
            revision = next_revision(db)
        self.full_text.follow(revision, (), ())
        return revision

    def check_complete(self, fingerprint: str, vectors: int, revision: int) -> None:
        """Raise DamagedStoreError where fewer vectors than chunks were read although none was missing at this revision: pages
        that are whole, and in each other's places, are damage that SQLite reads over. Where a complete check has found
        nothing, the vectors are made again.
        """
        if self.read_only or vectors >= self.chunks.count() or not self.vectors.complete(fingerprint):
            return
        if self.revision != revision:
            return  # another process has stored something in between
        if not self._checked:
            raise DamagedStoreError(f"The index in {self.directory} lacks rows that were stored: it is checked.")
        self.vectors.remove_broken(fingerprint)
        self.vectors.forget_complete(fingerprint)

    def check_pages(self, cancelled: Callable[[], bool]) -> bool:
        """Look at every page; False where cancelled. Raises DamagedStoreError, after which `open(check=True)` repairs."""
        return self.database.check_pages(cancelled)

    def condemn(self, reason: str) -> None:
        """Have the index made anew by the next `open(check=True)`: its pages are whole and its rows are not what was stored."""
        self.meta.set(**{DAMAGED_KEY: reason})

    def counts(self) -> Counts:
        return Counts(self.files.count(), self.chunks.count(), self.chunks.language_counts(), self.files.skip_counts())

    def checkpoint(self) -> None:
        """Copy the log into the database and sync both: a file saved afterwards matches what is on the disk."""
        self.database.checkpoint()

    @property
    def directory(self) -> Path:
        return self.database.directory

    @property
    def vectors_path(self) -> Path:
        return self.database.vectors_path

    @property
    def read_only(self) -> bool:
        return self.database.read_only

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired at opening, a sentence each."""
        return tuple(self.database.notes)

    def close(self) -> None:
        self.database.close()

    @property
    def closed(self) -> bool:
        return self.database.closed

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
