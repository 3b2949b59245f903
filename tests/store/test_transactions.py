"""SQLite ends a transaction by itself when a statement fails: the caller hears the cause, and nothing is half written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import DamagedStoreError, IndexLockedError, StorageFullError, StoreIOError
from retrieval.store import Store
from tests.store.stored import update, vectors

CAUSES = [
    (sqlite3.OperationalError("disk I/O error"), StoreIOError),
    (sqlite3.DatabaseError("database disk image is malformed"), DamagedStoreError),
    (sqlite3.OperationalError("database or disk is full"), StorageFullError),
    (sqlite3.OperationalError("database is locked"), IndexLockedError),
    (sqlite3.OperationalError("locking protocol"), IndexLockedError),
    (MemoryError(), MemoryError),
]
# By operation: what is done, and what tells whether it was done.
OPERATIONS: dict[str, tuple[Callable[[Store], Any], Callable[[Store], Any]]] = {
    "apply": (
        lambda store: store.apply([update("b.py", "two: second")], ["a.py"]),
        lambda store: sorted(store.files.all()),
    ),
    "set_meta": (lambda store: store.meta.set(key="value"), lambda store: store.meta.get("key")),
    "announce": (lambda store: store.announce(), lambda store: store.revision),
    "put_vectors": (
        lambda store: store.vectors.put("e", [row.passage for row in store.vectors.pending("e", 9)], vectors(1)),
        lambda store: store.vectors.pending_count("e"),
    ),
    "prune": (lambda store: store.vectors.prune([]), lambda store: store.vectors.count("former", after=0)),
    "read the words": (
        lambda store: (store.full_text.keep_in_memory(), store.full_text.maintain()),
        lambda store: store.chunks.count(),
    ),
}


class Fault:
    """Fails the statement of that number inside a transaction, after what else is to happen at that moment."""

    def __init__(self) -> None:
        self.countdown = -1  # statements until it happens; negative: never
        self.happens: Callable[[sqlite3.Connection], None] = lambda _: None

    def look(self, db: sqlite3.Connection) -> None:
        if not db.in_transaction:
            return
        self.countdown -= 1
        if self.countdown == -1:
            self.happens(db)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fault]:
    found = Fault()

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            found.look(self)
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            found.look(self)
            return super().executemany(*arguments)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, factory=Connection, **named))
    yield found
    found.countdown = -1


def prepared(opened: Callable[..., Store]) -> Store:
    """One chunk, a vector of it by an encoder, and words that are not in memory yet."""
    with opened() as store:
        store.apply([update("a.py", "one: first")])
        store.vectors.put("former", [row.passage for row in store.vectors.pending("former", 9)], vectors(1))
    return opened()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("cause", "kind"), CAUSES, ids=[str(cause) or "no memory" for cause, _ in CAUSES])
def test_a_transaction_that_sqlite_rolled_back_is_told_by_its_cause(
    opened: Callable[..., Store], fault: Fault, cause: Exception, kind: type[Exception], operation: str
) -> None:
    def roll_back(db: sqlite3.Connection) -> None:
        sqlite3.Connection.execute(db, "ROLLBACK")
        raise cause

    act, state = OPERATIONS[operation]
    store = prepared(opened)
    before = state(store)
    fault.happens = roll_back
    for statement in range(1_000):
        fault.countdown = statement
        try:
            act(store)
        except kind as error:
            assert error is cause or error.__cause__ is cause
        else:
            break
        fault.countdown = -1
        assert state(store) == before
    assert statement > 1, "no statement failed"
    assert fault.countdown >= 0, "a failure was swallowed"


def test_a_log_that_is_cut_off_while_words_are_read_is_an_error(
    opened: Callable[..., Store], fault: Fault, tmp_path: Path
) -> None:
    """A short read ends a reading transaction too: what commits it then must not hide it."""
    writer = opened()
    writer.apply([update(f"f{n}.py", *(f"name{n}x{m}: text of it" for m in range(20))) for n in range(20)])
    reader = opened()
    fault.happens = lambda _: os.truncate(tmp_path / "index" / "index.db-wal", 0)
    fault.countdown = 1  # the list of chunks, of which nothing was read yet
    with pytest.raises(StoreIOError, match=r"cannot be read|disk I/O"):
        reader.full_text.keep_in_memory()
        reader.full_text.maintain()
    assert fault.countdown < 0
