"""The store as the rest of the engine sees it: one workspace's index and the user's shared vectors."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from retrieval.store.database import Database
from retrieval.store.shared_vectors import SharedVectors


class Store(SharedVectors):
    """Files, chunks, words and vectors. Reading is safe from any thread; writing is for one process at a time."""

    @classmethod
    def open(cls, directory: Path, *, vectors: Path, read_only: bool = False, check: bool = False) -> Store:
        """Open or create. `check` looks at every page first; damaged files are set aside and noted (see `notes`).

        Raises NewerSchemaError, StorageFullError, StoreError.
        """
        return cls(Database(directory, vectors, read_only=read_only, check=check))

    @property
    def directory(self) -> Path:
        return self._database.directory

    @property
    def vectors_path(self) -> Path:
        return self._database.vectors_path

    @property
    def read_only(self) -> bool:
        return self._database.read_only

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired at opening, a sentence each."""
        return tuple(self._database.notes)

    def close(self) -> None:
        self._database.close()

    @property
    def closed(self) -> bool:
        return self._database.closed

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
