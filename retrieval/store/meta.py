"""Key-value pairs of the index: its revision (key "change"), its id (key "generation"), and others."""

from __future__ import annotations

import sqlite3

from retrieval.errors import DamagedStoreError
from retrieval.store.database import Database


class Meta:
    """The table of key-value pairs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def revision(self) -> int:
        """Incremented by every commit that changes content; equal numbers mean equal content."""
        return int(self._always_there("change"))

    @property
    def database_id(self) -> str:
        """Identifies this index file; chunk ids are not valid for another one."""
        return str(self._always_there("generation"))

    def _always_there(self, key: str) -> str | int:
        """A value that each index has from its first moment on. Raises DamagedStoreError without it."""
        value = self.get(key)
        if value is None:
            raise DamagedStoreError(
                f"The index in {self._database.directory} lacks rows that were stored: it is checked."
            )
        return value

    def get(self, key: str) -> str | int | None:
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM main.meta WHERE key = ?", (key,)).fetchone()
        value: str | int | None = row[0] if row else None
        return value

    def set(self, **values: str | int | None) -> None:
        with self._database.writing() as db:
            db.executemany("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", values.items())


def next_revision(db: sqlite3.Connection) -> int:
    """Increment the revision, in the current transaction."""
    db.execute("UPDATE main.meta SET value = value + 1 WHERE key = 'change'")
    return read_revision(db)


def read_revision(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM main.meta WHERE key = 'change'").fetchone()
    if row is None:
        raise DamagedStoreError("The index lacks rows that were stored: it is checked.")
    return int(row[0])
