"""The store as the rest of the engine sees it: one workspace's index and the user's shared vectors.

Files, chunks, full text and vectors are components over one database; what alters several of them is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from retrieval.store.chunks import Chunks
from retrieval.store.database import Database
from retrieval.store.files import Files
from retrieval.store.full_text import FullText
from retrieval.store.index_writer import write_updates
from retrieval.store.meta import Meta, next_revision
from retrieval.store.rows import Applied, Counts, FileUpdate
from retrieval.store.shared_vectors import SharedVectors


class Store:
    """Reading is safe from any thread; writing is for one process at a time (the workspace's lock sees to that)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.meta = Meta(database)
        self.files = Files(database)
        self.chunks = Chunks(database, self.meta)
        self.full_text = FullText(database, self.meta, self.chunks)
        self.vectors = SharedVectors(database, self.meta)
        if not database.read_only:
            self.full_text.keep_current()
            if not self.chunks.last_id():
                self.full_text.begin()

    @classmethod
    def open(cls, directory: Path, *, vectors: Path, read_only: bool = False, check: bool = False) -> Store:
        """Open or create. `check` looks at every page first; damaged files are set aside and noted (see `notes`).

        Raises NewerSchemaError, StorageFullError, StoreError.
        """
        return cls(Database(directory, vectors, read_only=read_only, check=check))

    @property
    def revision(self) -> int:
        """Goes up by one with every commit that alters content; equal numbers mean equal content."""
        return self.meta.revision

    def apply(self, updates: Sequence[FileUpdate], removed: Sequence[str] = ()) -> Applied:
        """Store changed files and forget removed ones in one transaction; all of it or nothing is there afterwards."""
        alters = bool(removed) or any(update.pieces is not None for update in updates)
        with self.database.writing() as db:
            revision = next_revision(db) if alters else self.revision
            removed_ids, term_rows, kept = write_updates(db, updates, removed)
        if alters:
            self.full_text.follow(revision, term_rows, removed_ids)
        return Applied(revision, tuple(words[0] for words in term_rows), tuple(removed_ids), kept)

    def announce(self) -> int:
        """Raise the revision: something that readers follow (vectors) is new."""
        with self.database.writing() as db:
            revision = next_revision(db)
        self.full_text.follow(revision, (), ())
        return revision

    def counts(self) -> Counts:
        return Counts(self.files.count(), self.chunks.count(), self.chunks.language_counts(), self.files.skip_counts())

    def checkpoint(self) -> None:
        """Copy the log into the database and sync both: whatever is saved afterwards stands for what is on the disk."""
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
