"""The store of a workspace, replaced by an empty one where it is damaged.

Every thread reads `current` afresh. Lock order: `writing`, then the lock that guards the replacement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from retrieval.errors import DamagedStoreError, StoreError, StoreIOError
from retrieval.store import Store

# A query that meets damage waits this long for an indexing run to end before it reports the damage.
REPAIR_WAIT = 1.0
# A query that finds the index damaged again and again is given up after so many attempts.
ATTEMPTS = 5

Result = TypeVar("Result")


class RepairableStore:
    """Holds the current store. Safe to use from many threads."""

    def __init__(
        self, store: Store, notes: Sequence[str], *, on_replaced: Callable[[], None], on_repaired: Callable[[], None]
    ) -> None:
        """`on_replaced` is called while nothing writes, `on_repaired` after that."""
        self.refill: Callable[[], object] | None = None  # fills a repaired store before a query is answered from it
        self.current = store
        self.notes = list(notes)
        self.writing = threading.Lock()  # held by an indexing run, and by a repair
        self._replacing = threading.Lock()
        self._on_replaced, self._on_repaired = on_replaced, on_repaired
        self.closed = False  # whether the workspace is

    def read(self, query: Callable[[], Result]) -> Result:
        """The result of a query; it is run again where the store had to be repaired, here or by another thread."""
        for _ in range(ATTEMPTS):
            store = self.current
            try:
                return query()
            except (DamagedStoreError, StoreIOError):
                self._repair_and_refill(store)
            except StoreError:
                with self._replacing:  # another thread may be repairing: it closes the store that it replaces
                    if self.current is store and (self.closed or not store.closed):
                        raise
                self._repair_and_refill(store)  # the earlier repair could not open the replacement
        return query()

    def _repair_and_refill(self, damaged: Store) -> None:
        self.repair(damaged, wait=REPAIR_WAIT)
        if self.refill is not None and self.current.notes:
            self.refill()

    def write(self, run: Callable[[], Result]) -> Result:
        """The result of an indexing run; it is run once more after a repair."""
        store = self.current
        try:
            return run()
        except StoreError as error:
            # A store that is closed while the workspace is open is one that a repair could not replace.
            if self.closed or not (isinstance(error, DamagedStoreError | StoreIOError) or store.closed):
                raise
            self.repair(store)
            return run()

    def make_writable(self) -> bool:
        """Open a store for writing that could only be read so far. False where that is still so."""
        store = self.current
        if not store.read_only:
            return True
        try:
            writable = Store.open(store.directory, vectors=store.vectors_path)
        except StoreError:
            return False
        with self.writing, self._replacing:
            self.current, self.notes = writable, list(writable.notes)  # the notes said that it could not be written
            store.close()
            self._on_replaced()
        return True

    def repair(self, damaged: Store, *, wait: float = -1) -> None:
        """Check every page of both databases and replace what is damaged; the next refresh fills it again.

        Raises DamagedStoreError where a run does not end within `wait` seconds: the run will meet the damage itself.
        """
        if self.current is not damaged:
            return  # another thread was faster, and the run that fills the new store may take its time
        if not self.writing.acquire(timeout=wait):
            if self.current is not damaged:
                return
            raise DamagedStoreError(f"The index in {damaged.directory} is damaged: it is rebuilt in a moment.")
        try:
            if self.current is not damaged:
                return
            folder, shared, read_only = damaged.directory, damaged.vectors_path, damaged.read_only
            with self._replacing:
                damaged.close()
                self.current = Store.open(folder, vectors=shared, read_only=read_only, check=True)
            self._on_replaced()
            self.notes += self.current.notes
        finally:
            self.writing.release()
        self._on_repaired()
