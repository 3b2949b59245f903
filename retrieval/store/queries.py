"""What the store's components share: columns, and statements with many values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.store.database import Database
from retrieval.types import Chunk, Symbol, own_symbols, whole_symbol

Ids = NDArray[np.int64]

# Joins are written as CROSS JOIN, which keeps SQLite from reordering them: without statistics it would rather walk all
# of a user's vectors than look up the few that are asked for (10 s instead of a millisecond).
SYMBOLS_COLUMN = (
    "(SELECT json_group_array(json_array(s.name, s.kind, s.scope, s.first, s.last)) FROM symbols s "
    "WHERE s.chunk = c.id)"
)
CHUNK_COLUMNS = (
    "f.path, c.language, c.kind, c.symbol, c.scope, c.start_line, c.end_line, c.start_byte, c.end_byte, c.text, "
    + SYMBOLS_COLUMN
)
# SQLite's default limit of parameters was 999 before 3.32; more in one statement gains nothing.
_PARAMETERS = 900


def select_many(database: Database, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of a statement with one IN list, which is filled in portions."""
    with database.reading() as db:
        for start in range(0, len(values), _PARAMETERS):
            portion = values[start : start + _PARAMETERS]
            yield from db.execute(sql.format(",".join("?" * len(portion))), tuple(portion)).fetchall()


def chunk_of(columns: Sequence[Any]) -> Chunk:
    """A chunk from CHUNK_COLUMNS. Lines of symbols are stored from the chunk's first line on."""
    path, language, kind, symbol, scope, start, end, first_byte, end_byte, text, packed = columns
    if packed == NO_SYMBOLS:
        symbols = whole_symbol(symbol, kind, scope, start, end)
    else:
        symbols = tuple(
            Symbol(name, kind, scope, start + first, start + last)
            for name, kind, scope, first, last in json.loads(packed)
        )
    return Chunk(path, language, kind, symbol, scope, start, end, first_byte, end_byte, text, symbols)


def symbol_rows(chunk: Chunk) -> list[tuple[str, str, str, int, int]]:
    """A chunk's symbols as they are stored: none where they are what `own_symbols` says."""
    if chunk.symbols == own_symbols(chunk):
        return []
    start = chunk.start_line
    return [(s.name, s.kind, s.scope, s.start_line - start, s.end_line - start) for s in chunk.symbols]


NO_SYMBOLS = "[]"


def ids_of(rows: Iterable[tuple[int]] | sqlite3.Cursor) -> Ids:
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def select_ids(db: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> Ids:
    """The ids that a statement gives in one column named id, ascending. They come as one text, eight times as fast
    as row by row.
    """
    text = db.execute(f"SELECT group_concat(id) FROM ({sql})", tuple(values)).fetchone()[0]
    return np.sort(np.fromstring(text, dtype=np.int64, sep=",")) if text else np.empty(0, np.int64)
