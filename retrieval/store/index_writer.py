"""How changes of files become rows: one transaction a batch, and chunks that read the same keep their ids.

An edit moves most chunks of a file by a few lines. A chunk whose passage, symbol and scope are the same as before
keeps its id, its words and its vector, and only its lines are written; the others are deleted and inserted. Ids are
never used again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any

from retrieval.store.analyzer import WORDS_VERSION
from retrieval.store.chunk_boundaries import remember_borders
from retrieval.store.database import Database
from retrieval.store.full_text import WORDED, Worded, WordSearch, words_of
from retrieval.store.rows import Applied, FileRow, FileUpdate, Piece
from retrieval.store.schema import create_words, drop_words
from retrieval.types import Chunk

_INSERT_WORDS = "INSERT INTO main.words(rowid, symbol, path, body) VALUES (?, ?, ?, ?)"
# A contentless full-text table is told what to forget: exactly the words that it was given.
_DELETE_WORDS = "INSERT INTO main.words(words, rowid, symbol, path, body) VALUES ('delete', ?, ?, ?, ?)"


class Writer(WordSearch):
    """The writing half of the store; one process at a time uses it (the workspace's lock sees to that)."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        if not database.read_only:
            self._keep_words_current()
            if not self.last_id():
                self._begin_lexicon()

    def apply(self, updates: Sequence[FileUpdate], removed: Sequence[str] = ()) -> Applied:
        """Store changed files and forget removed ones in one transaction; all of it or nothing is there afterwards."""
        gone: list[int] = []
        worded: list[Worded] = []
        kept = 0
        with self._database.writing() as db:
            alters = bool(removed) or any(update.pieces is not None for update in updates)
            change = _bump(db) if alters else self.change
            for path in removed:
                gone += _forget(db, path)
            for update in updates:
                file = _put_file(db, update.file)
                if update.pieces is not None:
                    old, new, same = _put_chunks(db, file, update.file.path, update.pieces)
                    gone += old
                    worded += new
                    kept += same
            remember_borders(db, updates)
        if alters:
            self._follow_words(change, worded, gone)
        return Applied(change, tuple(words[0] for words in worded), tuple(gone), kept)

    def set_meta(self, **values: str | int | None) -> None:
        with self._database.writing() as db:
            db.executemany("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", values.items())

    def announce(self) -> int:
        """Raise the change number: something that readers follow (vectors) is new."""
        with self._database.writing() as db:
            change = _bump(db)
        self._follow_words(change, (), ())
        return change

    def _keep_words_current(self) -> None:
        """Build the full-text table anew where it was split by other rules."""
        if self.get_meta("words_version") == WORDS_VERSION:
            return
        with self._database.writing() as db:
            _bump(db)
            if db.execute(
                "SELECT 1 FROM main.meta WHERE key = 'words_version' AND value = ?", (WORDS_VERSION,)
            ).fetchone():
                return  # another process was faster
            db.execute("INSERT OR REPLACE INTO main.meta VALUES ('words_version', ?)", (WORDS_VERSION,))
            drop_words(db)
            create_words(db)
            rows = db.execute(f"SELECT {WORDED} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file")
            db.executemany(_INSERT_WORDS, map(words_of, rows))


def _bump(db: sqlite3.Connection) -> int:
    db.execute("UPDATE main.meta SET value = value + 1 WHERE key = 'change'")
    return int(db.execute("SELECT value FROM main.meta WHERE key = 'change'").fetchone()[0])


def _put_file(db: sqlite3.Connection, file: FileRow) -> int:
    sql = """INSERT INTO main.files(path, size, mtime_ns, inode, digest, language, skip, note)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
             digest = excluded.digest, language = excluded.language, skip = excluded.skip,
             note = excluded.note"""
    values = (file.path, file.size, file.mtime_ns, file.inode, file.digest, file.language, file.skip, file.note)
    db.execute(sql, values)
    return int(db.execute("SELECT id FROM main.files WHERE path = ?", (file.path,)).fetchone()[0])


def _forget(db: sqlite3.Connection, path: str) -> list[int]:
    """Remove a file and its chunks; their ids."""
    row = db.execute("SELECT id FROM main.files WHERE path = ?", (path,)).fetchone()
    if row is None:
        return []
    ids = [i for (i,) in db.execute("SELECT id FROM main.chunks WHERE file = ?", row)]
    _delete(db, ids)
    db.execute("DELETE FROM main.files WHERE id = ?", row)
    return ids


def _put_chunks(
    db: sqlite3.Connection, file: int, path: str, pieces: Sequence[Piece]
) -> tuple[list[int], list[Worded], int]:
    """Make a file's chunks these. Returns the ids that went, the rows of words that came, and how many stayed."""
    same: dict[tuple[bytes, str, str], deque[tuple[int, tuple[Any, ...]]]] = defaultdict(deque)
    before = """SELECT id, passage, symbol, scope, language, kind, start_line, end_line, start_byte, end_byte
                FROM main.chunks WHERE file = ? ORDER BY start_byte, end_byte, id"""
    for row in db.execute(before, (file,)):
        same[row[1:4]].append((row[0], row[4:]))
    fresh: list[Piece] = []
    kept = 0
    for piece in pieces:
        chunk = piece.chunk
        twins = same.get((piece.passage, chunk.symbol, chunk.scope))
        if not twins:
            fresh.append(piece)
            continue
        row_id, place = twins.popleft()
        kept += 1
        if place != _place(chunk):
            db.execute(
                """UPDATE main.chunks SET language = ?, kind = ?, start_line = ?, end_line = ?, start_byte = ?,
                   end_byte = ? WHERE id = ?""",
                (*_place(chunk), row_id),
            )
    gone = [row_id for twins in same.values() for row_id, _ in twins]
    _delete(db, gone)
    return gone, _insert(db, file, path, fresh), kept


def _place(chunk: Chunk) -> tuple[str, str, int, int, int, int]:
    """What may change of a chunk that keeps its id."""
    return chunk.language, chunk.kind, chunk.start_line, chunk.end_line, chunk.start_byte, chunk.end_byte


def _insert(db: sqlite3.Connection, file: int, path: str, pieces: Iterable[Piece]) -> list[Worded]:
    sql = """INSERT INTO main.chunks(file, language, kind, start_line, end_line, start_byte, end_byte, symbol, scope,
             passage, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    worded = []
    for piece in pieces:
        chunk = piece.chunk
        row = db.execute(sql, (file, *_place(chunk), chunk.symbol, chunk.scope, piece.passage, chunk.text)).lastrowid
        assert row is not None  # it is one for every INSERT of one row
        words = (row, *piece.words) if piece.words else words_of((row, chunk.symbol, path, chunk.scope, chunk.text))
        db.execute(_INSERT_WORDS, words)
        worded.append(words)
    return worded


def _delete(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    sql = f"SELECT {WORDED} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id = ?"
    for row_id in ids:
        db.execute(_DELETE_WORDS, words_of(db.execute(sql, (row_id,)).fetchone()))
        db.execute("DELETE FROM main.chunks WHERE id = ?", (row_id,))
