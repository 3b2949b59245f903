"""Keyword search: SQLite's full-text table, or the BM25 index in memory when there are many chunks.

Both give the same scores. The table is always there and correct; the BM25 index is ten times as fast. It is used when it is
in memory and up to date: the process that indexes a new workspace builds it on the way; others load the file that
`maintain` writes and bring it up to date by comparing ids. They do so from BM25_MIN_CHUNKS chunks on, or after
`keep_in_memory`, because unsaved buffers are scored with it (see Bm25Snapshot in bm25.py). When that would take too long, or
another thread is doing it, the table answers.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.store.analyzer import WORDS_VERSION, TermRow, holds_words, terms_of
from retrieval.store.bm25 import Bm25Index, Bm25Snapshot
from retrieval.store.bm25_file import load_bm25, save_bm25
from retrieval.store.chunks import Chunks
from retrieval.store.database import Database
from retrieval.store.meta import Meta, next_revision, read_revision
from retrieval.store.queries import Ids, ids_of, select_ids
from retrieval.store.schema import create_words, drop_words, transaction
from retrieval.store.top_k import top_k

# Below this many chunks the full-text table answers in 2 ms.
BM25_MIN_CHUNKS = 5_000
# A query waits for at most this many new chunks to be added (100 ms); `maintain` waits for all.
MAX_NEW_CHUNKS = 1_000
# ... and at most this long for another thread that is updating the BM25 index.
_LOCK_SECONDS = 0.1
# Finding out that the index is too far behind takes 20 ms at 50,000 chunks: it is checked again after this time.
_RETRY_SECONDS = 2.0
BM25_FILE = "words.npz"

# The columns that a chunk's words come from.
TERM_COLUMNS = "c.id, c.symbol, f.path, c.scope, c.text"
_WORD = re.compile(r"\w+")
# Document frequencies are kept for this many words; the table takes a millisecond for a common one.
_FREQUENCIES = 20_000

# Where a query's words have more rows than this in all, the texts of the candidates tell sooner which of them hold which.
MAX_TABLE_ROWS = 2_000

Scores = NDArray[np.float64]


INSERT_WORDS = "INSERT INTO main.words(rowid, symbol, path, body) VALUES (?, ?, ?, ?)"
# A contentless full-text table deletes a row only when given exactly the words that were inserted.
DELETE_WORDS = "INSERT INTO main.words(words, rowid, symbol, path, body) VALUES ('delete', ?, ?, ?, ?)"


class FullText:
    """Keyword search over the chunks of one index."""

    def __init__(self, database: Database, meta: Meta, chunks: Chunks) -> None:
        self._database, self._meta, self._chunks = database, meta, chunks
        self._frequencies: tuple[int, dict[str, int]] = (-1, {})
        self._bm25: Bm25Index | None = None
        self._bm25_snapshot: Bm25Snapshot | None = None  # the last one given out
        self._bm25_lock = threading.RLock()
        self._load_tried = False
        self._retry_after = 0.0  # while the BM25 index is too far behind
        self._bm25_saved = -1
        self._keep_bm25 = False

    def search(
        self,
        terms: str | Sequence[str],
        limit: int,
        weights: tuple[float, float, float],
        allowed: Ids | None = None,
    ) -> list[tuple[int, float]]:
        """The best chunks by BM25 (higher is better), best first; ties at the cut are broken by location.

        `terms` are words as `split_identifiers` gives them, of which a chunk holds at least one, or an FTS5 expression.
        `weights` are those of the columns symbol, path (with scope), body. `allowed` (sorted) limits the chunks.
        """
        if not isinstance(terms, str) and (snapshot := self.bm25_snapshot()) is not None:
            return top_k(*snapshot.search(index_terms(terms), limit, weights, allowed), limit, self._chunks.sort_keys)
        match = terms if isinstance(terms, str) else any_of(terms)
        if limit <= 0 or not match:
            return []
        return top_k(*self._by_table(match, limit, weights, allowed), limit, self._chunks.sort_keys)

    def _by_table(
        self, match: str, limit: int, weights: tuple[float, float, float], allowed: Ids | None
    ) -> tuple[Ids, Scores]:
        """The best rows, and those beyond the limit that equal the last one."""
        # bm25 in a subselect of its own: ordering by it directly would compute it twice for every row. The unary plus
        # keeps SQLite from asking the full-text table once for each id.
        narrow = "" if allowed is None else "AND +rowid IN (SELECT value FROM json_each(?))"
        sql = f"""SELECT id, score FROM (SELECT rowid AS id, -bm25(words, ?, ?, ?) AS score FROM main.words
                  WHERE words MATCH ? {narrow}) ORDER BY score DESC LIMIT ?"""
        values = (*weights, match) if allowed is None else (*weights, match, json.dumps(allowed.tolist()))
        with self._database.reading() as db:
            rows = db.execute(sql, (*values, limit + 1)).fetchall()
            if len(rows) > limit and rows[-1][1] == rows[-2][1]:
                rows = db.execute(sql, (*values, -1)).fetchall()
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        return ids, np.array([row[1] for row in rows], dtype=np.float64)

    def holding(self, terms: Sequence[str], ids: Ids) -> NDArray[np.bool_]:
        """Which of these chunks hold which of these words, in any column: (len(ids), len(terms))."""
        if (snapshot := self.bm25_snapshot()) is not None:
            return snapshot.holding(terms, ids)
        if sum(self.document_frequencies(terms).values()) > MAX_TABLE_ROWS:
            return self._held_by_text(terms, ids)
        held = np.zeros((len(ids), len(terms)), dtype=np.bool_)
        positions = {row: n for n, row in enumerate(ids.tolist())}
        sql = "SELECT rowid FROM main.words WHERE words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))"
        wanted = json.dumps(list(positions))
        matches = [(n, match) for n, term in enumerate(terms) if (match := any_of([term]))]
        with self._database.reading() as db:
            for n, match in matches:
                held[[positions[row] for (row,) in db.execute(sql, (match, wanted))], n] = True
        return held

    def _held_by_text(self, terms: Sequence[str], ids: Ids) -> NDArray[np.bool_]:
        """The same, read from the texts of the chunks: for common words, whose rows the table walks all."""
        held = np.zeros((len(ids), len(terms)), dtype=np.bool_)
        positions = {row: n for n, row in enumerate(ids.tolist())}
        for row, chunk in self._chunks.texts(list(positions), self._meta.revision).items():
            held[positions[row]] = holds_words(f"{chunk.symbol}\n{chunk.path}\n{chunk.scope}\n{chunk.text}", terms)
        return held

    def phrase(self, words: Sequence[str], limit: int) -> Ids:
        """Chunks that hold these words side by side in one column, ascending. The table alone knows what stands where."""
        indexed = index_terms(words)
        if not indexed or len(indexed) < len(words):
            return np.empty(0, np.int64)
        sql = "SELECT rowid FROM main.words WHERE words MATCH ? LIMIT ?"
        with self._database.reading() as db:
            return np.sort(ids_of(db.execute(sql, (f'"{" ".join(indexed)}"', limit))))

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word occurs."""
        if (snapshot := self.bm25_snapshot()) is not None:
            return snapshot.frequencies(terms)
        revision = self._meta.revision
        if self._frequencies[0] != revision or len(self._frequencies[1]) > _FREQUENCIES:
            self._frequencies = (revision, {})
        frequencies = self._frequencies[1]
        missing = [term for term in dict.fromkeys(terms) if term not in frequencies]
        if missing:
            with self._database.reading() as db:
                for term in missing:
                    row = db.execute("SELECT doc FROM main.terms WHERE term = ?", (term,)).fetchone()
                    frequencies[term] = int(row[0]) if row else 0
        return {term: frequencies[term] for term in terms}

    # -- the BM25 index ------------------------------------------------------------------------------------------------

    def bm25_snapshot(self) -> Bm25Snapshot | None:
        """The words of all chunks at one revision; None when they are not in memory."""
        revision, snapshot = self._meta.revision, self._bm25_snapshot
        if snapshot is not None and snapshot.revision == revision:
            return snapshot
        if (self._bm25 is None and not self._uses_bm25()) or time.monotonic() < self._retry_after:
            return None
        if not self._bm25_lock.acquire(timeout=_LOCK_SECONDS):
            return None
        try:
            self._load_once()
            if self._bm25 is None:
                return None
            if not self._catch_up(self._bm25, most=MAX_NEW_CHUNKS):
                self._retry_after = time.monotonic() + _RETRY_SECONDS
                return None
            self._bm25_snapshot = self._bm25.snapshot()
            return self._bm25_snapshot
        finally:
            self._bm25_lock.release()

    def keep_in_memory(self) -> None:
        """Keep the BM25 index in memory whatever its size: half a second when a small workspace has no file of it yet; a
        large one waits for `maintain`.
        """
        if self._keep_bm25:
            return
        with self._bm25_lock:
            self._keep_bm25 = True
            self._load_once()
            if self._bm25 is None and self._chunks.count() < BM25_MIN_CHUNKS:
                self._bm25 = Bm25Index()
                self._catch_up(self._bm25, most=None)

    def maintain(self) -> None:
        """Build or update the BM25 index of a large workspace, and save it: seconds at 50,000 chunks."""
        if self._bm25 is None and not self._uses_bm25():
            return
        with self._bm25_lock:
            self._load_once()
            if self._bm25 is None:
                self._bm25 = Bm25Index()
            self._catch_up(self._bm25, most=None)
            self._retry_after = 0.0
        self._save_bm25()

    def reload(self) -> None:
        """Load the file that another process has written, if it is newer than the index in memory."""
        with self._bm25_lock:
            stored = self._load_bm25() if self._uses_bm25() else None
            if stored is not None and (self._bm25 is None or stored.revision > self._bm25.revision):
                self._bm25, self._bm25_snapshot = stored, None
            self._retry_after = 0.0

    @property
    def bm25_path(self) -> Path:
        return self._database.directory / BM25_FILE

    def _uses_bm25(self) -> bool:
        return self._keep_bm25 or self._chunks.count() >= BM25_MIN_CHUNKS

    def _load_once(self) -> None:
        """Load the file, once."""
        if self._bm25 is None and not self._load_tried:
            self._load_tried = True
            self._bm25 = self._load_bm25()

    def start_bm25(self) -> None:
        """Build the BM25 index of a new workspace while it is indexed."""
        self._bm25 = Bm25Index(revision=self._meta.revision)

    def follow(self, revision: int, term_rows: Sequence[TermRow], removed_ids: Sequence[int]) -> None:
        """Apply a commit of this process."""
        with self._bm25_lock:
            bm25_index = self._bm25
            if bm25_index is None or bm25_index.revision != revision - 1:
                return
            bm25_index.remove(removed_ids)
            for row, *columns in term_rows:
                bm25_index.add(row, (columns[0], columns[1], columns[2]))
            bm25_index.revision = revision

    def _catch_up(self, bm25_index: Bm25Index, *, most: int | None) -> bool:
        """Make the BM25 index hold exactly the stored chunks; False when that is too much work for now. One transaction, so
        that the revision matches the rows.
        """
        if bm25_index.revision == self._meta.revision:
            return True
        with self._database.reading() as db, transaction(db):
            revision = read_revision(db)
            have, want = bm25_index.snapshot().ids(), _ids_in(db)
            new_ids = np.setdiff1d(want, have, assume_unique=True)
            if most is not None and len(new_ids) > most:
                return False
            bm25_index.remove(np.setdiff1d(have, want, assume_unique=True))
            for row, *columns in _terms_in(db, new_ids):
                bm25_index.add(row, (columns[0], columns[1], columns[2]))
            bm25_index.revision = revision
        return True

    def _load_bm25(self) -> Bm25Index | None:
        bm25_index = load_bm25(self.bm25_path, generation=self._meta.database_id, rules=WORDS_VERSION)
        if bm25_index is not None:
            self._bm25_saved = bm25_index.revision
        return bm25_index

    def _save_bm25(self) -> None:
        """Write the file if it is out of date. A cache: if the disk is full, it is built again next time."""
        bm25_index = self._bm25
        if bm25_index is None or self._database.read_only or bm25_index.revision == self._bm25_saved:
            return
        self._database.checkpoint()
        with self._bm25_lock, suppress(OSError):
            self._bm25_snapshot = None  # saving merges all parts: otherwise two copies would be in memory
            save_bm25(bm25_index, self.bm25_path, generation=self._meta.database_id, rules=WORDS_VERSION)
            self._bm25_saved = bm25_index.revision

    def update_words(self) -> None:
        """Rebuild the full-text table if its words were split by other rules."""
        if self._meta.get("words_version") == WORDS_VERSION:
            return
        with self._database.writing() as db:
            next_revision(db)
            if db.execute(
                "SELECT 1 FROM main.meta WHERE key = 'words_version' AND value = ?", (WORDS_VERSION,)
            ).fetchone():
                return  # another process has done it
            db.execute("INSERT OR REPLACE INTO main.meta VALUES ('words_version', ?)", (WORDS_VERSION,))
            drop_words(db)
            create_words(db)
            rows = db.execute(f"SELECT {TERM_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file")
            db.executemany(INSERT_WORDS, map(terms_of, rows))


def index_terms(terms: Sequence[str]) -> list[str]:
    """The terms that the index can hold."""
    return [term for term in terms if _WORD.fullmatch(term)]


def any_of(terms: Sequence[str]) -> str:
    """An FTS5 expression for rows with at least one of these words; quoted, as OR and NOT are words too."""
    return " OR ".join(f'"{term}"' for term in dict.fromkeys(index_terms(terms)))


def _ids_in(db: sqlite3.Connection) -> Ids:
    return select_ids(db, "SELECT id FROM main.chunks")


def _terms_in(db: sqlite3.Connection, ids: Ids) -> Iterator[TermRow]:
    """The words of these chunks, in the order of their ids."""
    sql = f"""SELECT {TERM_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file
              WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id"""
    return map(terms_of, db.execute(sql, (json.dumps(ids.tolist()),)))
