"""Search by words: SQLite's full-text table, or the BM25 index in memory where there are many chunks.

Both give the same scores. The table is always there and right; the BM25 index is ten times as fast. It is used where it is
at hand and in step: the process that indexes a new workspace builds it on the way, others load the file that
`maintain` writes and bring it up to date by comparing ids, from BM25_FROM chunks on, or where `keep_in_memory`
was called: unsaved buffers are scored with it (see corpus in bm25.py). Where that would take too long, or another thread
is at it, the table answers.
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

from retrieval.store.analyzer import WORDS_VERSION, split_identifiers
from retrieval.store.bm25 import Bm25Index, Corpus
from retrieval.store.bm25_file import load_bm25, save_bm25
from retrieval.store.chunks import Chunks
from retrieval.store.database import Database
from retrieval.store.meta import Meta, next_revision, read_revision
from retrieval.store.queries import Ids
from retrieval.store.schema import create_words, drop_words, transaction
from retrieval.store.top_k import first

# Below this many chunks the full-text table answers in 2 ms.
BM25_FROM = 5_000
# A query does not wait for more new chunks than this (100 ms); `maintain` does.
MOST_BEHIND = 1_000
# ... nor longer than this for another thread that is bringing the BM25 index up to date.
_PATIENCE = 0.1
# To find out that it is too far behind takes 20 ms at 50,000 chunks.
_HOPELESS_SECONDS = 2.0
BM25_FILE = "words.npz"

# What the words of a chunk are made from.
TERM_COLUMNS = "c.id, c.symbol, f.path, c.scope, c.text"
_WORD = re.compile(r"\w+")
# Document frequencies are kept for this many words; the table takes a millisecond for a common one.
_FREQUENCIES = 20_000

TermRow = tuple[int, str, str, str]
Scores = NDArray[np.float64]


INSERT_WORDS = "INSERT INTO main.words(rowid, symbol, path, body) VALUES (?, ?, ?, ?)"
# A contentless full-text table is told what to forget: exactly the words that it was given.
DELETE_WORDS = "INSERT INTO main.words(words, rowid, symbol, path, body) VALUES ('delete', ?, ?, ?, ?)"


class FullText:
    """Search by words over the chunks of one index."""

    def __init__(self, database: Database, meta: Meta, chunks: Chunks) -> None:
        self._database, self._meta, self._chunks = database, meta, chunks
        self._frequencies: tuple[int, dict[str, int]] = (-1, {})
        self._bm25: Bm25Index | None = None
        self._corpus: Corpus | None = None  # of the BM25 index, as it was asked for last
        self._bm25_lock = threading.RLock()
        self._bm25_sought = False
        self._hopeless_until = 0.0  # the BM25 index is too far behind
        self._bm25_saved = -1
        self._wanted = False

    def search(
        self,
        terms: str | Sequence[str],
        limit: int,
        weights: tuple[float, float, float],
        allowed: Ids | None = None,
    ) -> list[tuple[int, float]]:
        """The best chunks by BM25 (higher is better), best first; equals at the cut go by place.

        `terms` are words as `split_identifiers` gives them, of which a chunk holds at least one, or an FTS5 expression.
        `weights` are those of the columns symbol, path (with scope), body. `allowed` (sorted) limits the chunks.
        """
        if not isinstance(terms, str) and (corpus := self.corpus()) is not None:
            return first(*corpus.search(index_terms(terms), limit, weights, allowed), limit, self._chunks.places)
        match = terms if isinstance(terms, str) else any_of(terms)
        if limit <= 0 or not match:
            return []
        return first(*self._by_table(match, limit, weights, allowed), limit, self._chunks.places)

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
        if (corpus := self.corpus()) is not None:
            return corpus.holding(terms, ids)
        held = np.zeros((len(ids), len(terms)), dtype=np.bool_)
        positions = {row: n for n, row in enumerate(ids.tolist())}
        sql = "SELECT rowid FROM main.words WHERE words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))"
        wanted = json.dumps(list(positions))
        with self._database.reading() as db:
            for n, term in enumerate(terms):
                for (row,) in db.execute(sql, (any_of([term]), wanted)) if any_of([term]) else ():
                    held[positions[row], n] = True
        return held

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word occurs."""
        if (corpus := self.corpus()) is not None:
            return corpus.frequencies(terms)
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

    def corpus(self) -> Corpus | None:
        """The words of all chunks at one moment, that of `change`; None where they are not at hand."""
        revision, corpus = self._meta.revision, self._corpus
        if corpus is not None and corpus.change == revision:
            return corpus
        if (self._bm25 is None and not self._worth_seeking()) or time.monotonic() < self._hopeless_until:
            return None
        if not self._bm25_lock.acquire(timeout=_PATIENCE):
            return None
        try:
            self._seek()
            if self._bm25 is None:
                return None
            if not self._catch_up(self._bm25, most=MOST_BEHIND):
                self._hopeless_until = time.monotonic() + _HOPELESS_SECONDS
                return None
            self._corpus = self._bm25.corpus()
            return self._corpus
        finally:
            self._bm25_lock.release()

    def keep_in_memory(self) -> None:
        """Have the BM25 index at hand whatever the size: half a second where a small workspace has no file of it yet; a
        large one waits for `maintain`.
        """
        if self._wanted:
            return
        with self._bm25_lock:
            self._wanted = True
            self._seek()
            if self._bm25 is None and self._chunks.count() < BM25_FROM:
                self._bm25 = Bm25Index()
                self._catch_up(self._bm25, most=None)

    def maintain(self) -> None:
        """Make the BM25 index of a large workspace, or bring it up to date, and save it: seconds at 50,000 chunks."""
        if self._bm25 is None and not self._worth_seeking():
            return
        with self._bm25_lock:
            self._seek()
            if self._bm25 is None:
                self._bm25 = Bm25Index()
            self._catch_up(self._bm25, most=None)
            self._hopeless_until = 0.0
        self._save_bm25()

    def reload(self) -> None:
        """Take the file that another process has written, where it is newer than what is at hand."""
        with self._bm25_lock:
            stored = self._load_bm25() if self._worth_seeking() else None
            if stored is not None and (self._bm25 is None or stored.change > self._bm25.change):
                self._bm25, self._corpus = stored, None
            self._hopeless_until = 0.0

    @property
    def bm25_path(self) -> Path:
        return self._database.directory / BM25_FILE

    def _worth_seeking(self) -> bool:
        return self._wanted or self._chunks.count() >= BM25_FROM

    def _seek(self) -> None:
        """Load the file, once."""
        if self._bm25 is None and not self._bm25_sought:
            self._bm25_sought = True
            self._bm25 = self._load_bm25()

    def begin(self) -> None:
        """An index that is made now gets its BM25 index on the way."""
        self._bm25 = Bm25Index(change=self._meta.revision)

    def follow(self, revision: int, term_rows: Sequence[TermRow], removed_ids: Sequence[int]) -> None:
        """Take over a commit of this process."""
        with self._bm25_lock:
            bm25_index = self._bm25
            if bm25_index is None or bm25_index.change != revision - 1:
                return
            bm25_index.remove(removed_ids)
            for row, *columns in term_rows:
                bm25_index.add(row, (columns[0], columns[1], columns[2]))
            bm25_index.change = revision

    def _catch_up(self, bm25_index: Bm25Index, *, most: int | None) -> bool:
        """Make the BM25 index hold exactly the chunks that are stored; False where that is too much work for now. One
        transaction: what it then stands for is what it holds.
        """
        if bm25_index.change == self._meta.revision:
            return True
        with self._database.reading() as db, transaction(db):
            revision = read_revision(db)
            have, want = bm25_index.corpus().ids(), _ids_in(db)
            new_ids = np.setdiff1d(want, have, assume_unique=True)
            if most is not None and len(new_ids) > most:
                return False
            bm25_index.remove(np.setdiff1d(have, want, assume_unique=True))
            for row, *columns in _terms_in(db, new_ids):
                bm25_index.add(row, (columns[0], columns[1], columns[2]))
            bm25_index.change = revision
        return True

    def _load_bm25(self) -> Bm25Index | None:
        bm25_index = load_bm25(self.bm25_path, generation=self._meta.database_id, rules=WORDS_VERSION)
        if bm25_index is not None:
            self._bm25_saved = bm25_index.change
        return bm25_index

    def _save_bm25(self) -> None:
        """Write the file where it is behind. A cache: where there is no room, it is made again next time."""
        bm25_index = self._bm25
        if bm25_index is None or self._database.read_only or bm25_index.change == self._bm25_saved:
            return
        self._database.checkpoint()
        with self._bm25_lock, suppress(OSError):
            self._corpus = None  # saving makes one part of all: two copies of it would be held else
            save_bm25(bm25_index, self.bm25_path, generation=self._meta.database_id, rules=WORDS_VERSION)
            self._bm25_saved = bm25_index.change

    def keep_current(self) -> None:
        """Build the full-text table anew where it was split by other rules."""
        if self._meta.get("words_version") == WORDS_VERSION:
            return
        with self._database.writing() as db:
            next_revision(db)
            if db.execute(
                "SELECT 1 FROM main.meta WHERE key = 'words_version' AND value = ?", (WORDS_VERSION,)
            ).fetchone():
                return  # another process was faster
            db.execute("INSERT OR REPLACE INTO main.meta VALUES ('words_version', ?)", (WORDS_VERSION,))
            drop_words(db)
            create_words(db)
            rows = db.execute(f"SELECT {TERM_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file")
            db.executemany(INSERT_WORDS, map(terms_of, rows))


def terms_of(row: Sequence[object]) -> TermRow:
    """(id, symbol, path, scope, text) as the full-text table's row."""
    number, symbol, path, scope, text = row
    assert isinstance(number, int)
    return number, split_identifiers(str(symbol)), split_identifiers(f"{path} {scope}"), split_identifiers(str(text))


def index_terms(terms: Sequence[str]) -> list[str]:
    """Those that can stand in the index."""
    return [term for term in terms if _WORD.fullmatch(term)]


def any_of(terms: Sequence[str]) -> str:
    """An FTS5 expression for rows with at least one of these words; quoted, as OR and NOT are words too."""
    return " OR ".join(f'"{term}"' for term in dict.fromkeys(index_terms(terms)))


def _ids_in(db: sqlite3.Connection) -> Ids:
    return np.fromiter((row[0] for row in db.execute("SELECT id FROM main.chunks ORDER BY id")), dtype=np.int64)


def _terms_in(db: sqlite3.Connection, ids: Ids) -> Iterator[TermRow]:
    """The words of these chunks, in the order of their ids."""
    sql = f"""SELECT {TERM_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file
              WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id"""
    return map(terms_of, db.execute(sql, (json.dumps(ids.tolist()),)))
