"""Writes changed files as rows: one transaction a batch; chunks with the same passage keep their ids.

An edit moves most chunks of a file by a few lines. A chunk whose passage, symbol and scope are the same as before
keeps its id, its words and its vector, and only its lines are written; the others are deleted and inserted. Ids are
never reused.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

from retrieval.store.analyzer import TermRow, terms_of
from retrieval.store.chunk_boundaries import remember_boundaries
from retrieval.store.full_text import DELETE_WORDS, INSERT_WORDS, TERM_COLUMNS
from retrieval.store.queries import SYMBOLS_COLUMN, symbol_rows
from retrieval.store.rows import FileRow, FileUpdate, NewChunk
from retrieval.store.structures import put_structure
from retrieval.types import Chunk


def write_updates(
    db: sqlite3.Connection, updates: Sequence[FileUpdate], removed: Sequence[str]
) -> tuple[list[int], list[TermRow], int]:
    """Store changed files and delete removed ones, in the current transaction. Returns the ids of the deleted chunks, the
    inserted rows of words, and how many chunks were kept.
    """
    removed_ids: list[int] = []
    term_rows: list[TermRow] = []
    kept = 0
    for path in removed:
        removed_ids += _remove_file(db, path)
    for update in updates:
        file = _put_file(db, update.file)
        if update.chunks is not None:
            old, new, same = _put_chunks(db, file, update.file.path, update.chunks)
            put_structure(db, file, update.structure)
            removed_ids += old
            term_rows += new
            kept += same
    remember_boundaries(db, updates)
    return removed_ids, term_rows, kept


def _put_file(db: sqlite3.Connection, file: FileRow) -> int:
    sql = """INSERT INTO main.files(path, size, mtime_ns, inode, ctime_ns, digest, language, skip, note)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
             ctime_ns = excluded.ctime_ns, digest = excluded.digest, language = excluded.language, skip = excluded.skip,
             note = excluded.note"""
    stamp = (file.size, file.mtime_ns, file.inode, file.ctime_ns)
    db.execute(sql, (file.path, *stamp, file.digest, file.language, file.skip, file.note))
    return int(db.execute("SELECT id FROM main.files WHERE path = ?", (file.path,)).fetchone()[0])


def _remove_file(db: sqlite3.Connection, path: str) -> list[int]:
    """Remove a file and its chunks; their ids."""
    row = db.execute("SELECT id FROM main.files WHERE path = ?", (path,)).fetchone()
    if row is None:
        return []
    ids = [i for (i,) in db.execute("SELECT id FROM main.chunks WHERE file = ?", row)]
    _delete(db, ids)
    put_structure(db, row[0], None)
    db.execute("DELETE FROM main.files WHERE id = ?", row)
    return ids


def _put_chunks(
    db: sqlite3.Connection, file: int, path: str, chunks: Sequence[NewChunk]
) -> tuple[list[int], list[TermRow], int]:
    """Replace a file's chunks. Returns the deleted ids, the inserted rows of words, and how many chunks were kept."""
    same: dict[tuple[bytes, str, str], deque[tuple[int, tuple[Any, ...]]]] = defaultdict(deque)
    before = f"""SELECT id, passage, symbol, scope, language, kind, start_line, end_line, start_byte, end_byte,
                 {SYMBOLS_COLUMN} FROM main.chunks c WHERE file = ? ORDER BY start_byte, end_byte, id"""
    symbols: dict[int, str] = {}
    for row in db.execute(before, (file,)):
        same[row[1:4]].append((row[0], row[4:-1]))
        symbols[row[0]] = row[-1]
    inserted: list[NewChunk] = []
    kept = 0
    for new_chunk in chunks:
        chunk = new_chunk.chunk
        matches = same.get((new_chunk.passage, chunk.symbol, chunk.scope))
        if not matches:
            inserted.append(new_chunk)
            continue
        row_id, stored_columns = matches.popleft()
        kept += 1
        if stored_columns != _mutable_columns(chunk):
            db.execute(
                """UPDATE main.chunks SET language = ?, kind = ?, start_line = ?, end_line = ?, start_byte = ?,
                   end_byte = ? WHERE id = ?""",
                (*_mutable_columns(chunk), row_id),
            )
        new_symbols = symbol_rows(chunk)
        if json.loads(symbols[row_id]) != [list(symbol) for symbol in new_symbols]:
            db.execute("DELETE FROM main.symbols WHERE chunk = ?", (row_id,))
            _insert_symbols(db, [(row_id, place, *symbol) for place, symbol in enumerate(new_symbols)])
    removed_ids = [row_id for matches in same.values() for row_id, _ in matches]
    _delete(db, removed_ids)
    return removed_ids, _insert(db, file, path, inserted), kept


def _mutable_columns(chunk: Chunk) -> tuple[str, str, int, int, int, int]:
    """The columns of a chunk that may change while it keeps its id."""
    return chunk.language, chunk.kind, chunk.start_line, chunk.end_line, chunk.start_byte, chunk.end_byte


def _insert(db: sqlite3.Connection, file: int, path: str, chunks: Iterable[NewChunk]) -> list[TermRow]:
    sql = """INSERT INTO main.chunks(file, language, kind, start_line, end_line, start_byte, end_byte, symbol, scope,
             passage, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    term_rows: list[TermRow] = []
    symbols: list[tuple[int, int, str, str, str, int, int]] = []
    for new_chunk in chunks:
        chunk = new_chunk.chunk
        row = db.execute(
            sql, (file, *_mutable_columns(chunk), chunk.symbol, chunk.scope, new_chunk.passage, chunk.text)
        ).lastrowid
        assert row is not None  # an INSERT of one row always has one
        words = (
            (row, *new_chunk.words) if new_chunk.words else terms_of((row, chunk.symbol, path, chunk.scope, chunk.text))
        )
        db.execute(INSERT_WORDS, words)
        symbols += [(row, place, *symbol) for place, symbol in enumerate(symbol_rows(chunk))]
        term_rows.append(words)
    _insert_symbols(db, symbols)
    return term_rows


def _insert_symbols(db: sqlite3.Connection, rows: Sequence[tuple[int, int, str, str, str, int, int]]) -> None:
    if rows:
        sql = "INSERT INTO main.symbols(chunk, place, name, kind, scope, first, last) VALUES (?, ?, ?, ?, ?, ?, ?)"
        db.executemany(sql, rows)


def _delete(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    sql = f"SELECT {TERM_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id = ?"
    for row_id in ids:
        db.execute(DELETE_WORDS, terms_of(db.execute(sql, (row_id,)).fetchone()))
        db.execute("DELETE FROM main.symbols WHERE chunk = ?", (row_id,))
        db.execute("DELETE FROM main.chunks WHERE id = ?", (row_id,))
