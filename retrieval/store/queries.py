"""What the store's components share: columns, and statements with many values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.store.database import Database

Ids = NDArray[np.int64]

# Joins are written as CROSS JOIN, which keeps SQLite from reordering them: without statistics it would rather walk all
# of a user's vectors than look up the few that are asked for (10 s instead of a millisecond).
CHUNK_COLUMNS = (
    "f.path, c.language, c.kind, c.symbol, c.scope, c.start_line, c.end_line, c.start_byte, c.end_byte, c.text"
)
# SQLite's default limit of parameters was 999 before 3.32; more in one statement gains nothing.
_PARAMETERS = 900


def select_many(database: Database, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of a statement with one IN list, which is filled in portions."""
    with database.reading() as db:
        for start in range(0, len(values), _PARAMETERS):
            portion = values[start : start + _PARAMETERS]
            yield from db.execute(sql.format(",".join("?" * len(portion))), tuple(portion)).fetchall()


def ids_of(rows: Iterable[tuple[int]] | sqlite3.Cursor) -> Ids:
    return np.fromiter((row[0] for row in rows), dtype=np.int64)
