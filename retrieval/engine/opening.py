"""From a folder to its opened store, or why that cannot be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import StorageFullError, WorkspaceError
from retrieval.store import Store


def usable(root: Path) -> Path:
    """The root, if it can be indexed. Raises WorkspaceError."""
    root = root.expanduser()
    try:
        if not root.exists():
            raise WorkspaceError(f"There is no folder {root}: give the folder to index.")
        if not root.is_dir():
            raise WorkspaceError(f"{root} is a file: give the folder to index.")
        with suppress(StopIteration):
            next(root.iterdir())
    except PermissionError:
        raise WorkspaceError(f"{root} cannot be read: permission denied.") from None
    return root


@dataclass(frozen=True, slots=True)
class OpenedStore:
    """A store, and what should be said about it."""

    store: Store
    notes: tuple[str, ...] = ()


def open_store(folder: Path, shared: Path) -> OpenedStore:
    """The store; for reading only where the cache folder cannot be written."""
    try:
        opened = Store.open(folder, vectors=shared)
        return OpenedStore(opened, tuple(opened.notes))
    except StorageFullError as error:
        try:
            store = Store.open(folder, vectors=shared, read_only=True)
            store.counts()  # a disk without room may hold a file with nothing in it
        except StorageFullError:
            raise
        except Exception:
            raise error from None
        note = f"The index is as it was and cannot be brought up to date: {error}"
        return OpenedStore(store, (note, *store.notes))
