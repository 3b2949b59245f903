"""Search by words: SQLite's full-text table, or the lexicon in memory where there are many chunks.

Both give the same scores. The table is always there and right; the lexicon is ten times as fast and is used from
LEXICON_FROM chunks on, where it is at hand: the process that indexes a new workspace builds it on the way, others load
the file that `settle_words` writes and bring it up to date by comparing ids. Where that would take too long, or
another thread is at it, the table answers.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from retrieval.store.database import Database
from retrieval.store.lexicon import Lexicon
from retrieval.store.lexicon_file import load_lexicon, save_lexicon
from retrieval.store.reading import Ids, Reader
from retrieval.store.words import WORDS_VERSION, split_identifiers

# Below this many chunks the full-text table answers in 2 ms.
LEXICON_FROM = 5_000
# A query does not wait for more new chunks than this (100 ms); `settle_words` does.
MOST_BEHIND = 1_000
LEXICON_FILE = "words.npz"

# What the words of a chunk are made from.
WORDED = "c.id, c.symbol, f.path, c.scope, c.text"
_WORD = re.compile(r"\w+")
# Document frequencies are kept for this many words; the table takes a millisecond for a common one.
_FREQUENCIES = 20_000

Worded = tuple[int, str, str, str]


class WordSearch(Reader):
    """The part of the store that knows words."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._frequencies: tuple[int, dict[str, int]] = (-1, {})
        self._lexicon: Lexicon | None = None
        self._lexicon_lock = threading.RLock()
        self._lexicon_sought = False
        self._lexicon_saved = -1

    def lexical(
        self, terms: str | Sequence[str], limit: int, weights: tuple[float, float, float]
    ) -> list[tuple[int, float]]:
        """The best chunks by BM25 (higher is better), best first, equals by id.

        `terms` are words as `split_identifiers` gives them, of which a chunk holds at least one, or an FTS5 expression.
        `weights` are those of the columns symbol, path (with scope), body.
        """
        if not isinstance(terms, str) and (lexicon := self._ready()) is not None:
            return lexicon.search([term for term in terms if _WORD.fullmatch(term)], limit, weights)
        match = terms if isinstance(terms, str) else any_of(terms)
        if limit <= 0 or not match:
            return []
        # bm25 in a subselect of its own: ordering by it directly would compute it twice for every row.
        sql = """SELECT id, score FROM (SELECT rowid AS id, -bm25(words, ?, ?, ?) AS score FROM main.words
                 WHERE words MATCH ?) ORDER BY score DESC, id LIMIT ?"""
        with self._database.reading() as db:
            return [(int(i), float(score)) for i, score in db.execute(sql, (*weights, match, limit))]

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word occurs."""
        if (lexicon := self._ready()) is not None:
            return lexicon.frequencies(terms)
        change = self.change
        if self._frequencies[0] != change or len(self._frequencies[1]) > _FREQUENCIES:
            self._frequencies = (change, {})
        known = self._frequencies[1]
        missing = [term for term in dict.fromkeys(terms) if term not in known]
        if missing:
            with self._database.reading() as db:
                for term in missing:
                    row = db.execute("SELECT doc FROM main.terms WHERE term = ?", (term,)).fetchone()
                    known[term] = int(row[0]) if row else 0
        return {term: known[term] for term in terms}

    # -- the lexicon ------------------------------------------------------------------------------------------------

    def settle_words(self) -> None:
        """Make the lexicon of a large workspace, or bring it up to date, and save it: seconds at 50,000 chunks."""
        if self.chunk_count() < LEXICON_FROM:
            return
        with self._lexicon_lock:
            if self._lexicon is None:
                self._lexicon = self._load_lexicon() or Lexicon()
            change = self.change
            self._catch_up(self._lexicon, change, most=None)
        self._save_lexicon()

    @property
    def lexicon_path(self) -> Path:
        return self._database.directory / LEXICON_FILE

    def _begin_lexicon(self) -> None:
        """An index that is made now gets its lexicon on the way."""
        self._lexicon = Lexicon(change=self.change)

    def _follow_words(self, change: int, worded: Sequence[Worded], gone: Sequence[int]) -> None:
        """Take over a commit of this process."""
        with self._lexicon_lock:
            lexicon = self._lexicon
            if lexicon is None or lexicon.change != change - 1:
                return
            lexicon.remove(gone)
            for row, *columns in worded:
                lexicon.add(row, (columns[0], columns[1], columns[2]))
            lexicon.change = change

    def _ready(self) -> Lexicon | None:
        """The lexicon, if it is worth using and stands for what is stored now."""
        if self.chunk_count() < LEXICON_FROM:
            return None
        lexicon, change = self._lexicon, self.change
        if lexicon is not None and lexicon.change == change:
            return lexicon
        if not self._lexicon_lock.acquire(blocking=False):
            return None
        try:
            if self._lexicon is None and not self._lexicon_sought:
                self._lexicon_sought = True
                self._lexicon = self._load_lexicon()
            lexicon = self._lexicon
            return lexicon if lexicon is not None and self._catch_up(lexicon, change, most=MOST_BEHIND) else None
        finally:
            self._lexicon_lock.release()

    def _catch_up(self, lexicon: Lexicon, change: int, *, most: int | None) -> bool:
        """Make the lexicon hold exactly the chunks that are stored; False where that is too much work for now."""
        if lexicon.change == change:
            return True
        have, want = lexicon.ids(), self.ids()
        came = np.setdiff1d(want, have, assume_unique=True)
        if most is not None and len(came) > most:
            return False
        lexicon.remove(np.setdiff1d(have, want, assume_unique=True))
        for row, *columns in self._words_of(came):
            lexicon.add(row, (columns[0], columns[1], columns[2]))
        lexicon.change = change
        return True

    def _words_of(self, ids: Ids) -> list[Worded]:
        sql = f"SELECT {WORDED} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}}) ORDER BY c.id"
        return [words_of(row) for row in self._many(sql, ids.tolist())]

    def _load_lexicon(self) -> Lexicon | None:
        lexicon = load_lexicon(self.lexicon_path, generation=self.generation, rules=WORDS_VERSION)
        if lexicon is not None:
            self._lexicon_saved = lexicon.change
        return lexicon

    def _save_lexicon(self) -> None:
        """Write the file where it is behind. A cache: where there is no room, it is made again next time."""
        lexicon = self._lexicon
        if lexicon is None or self._database.read_only or lexicon.change == self._lexicon_saved:
            return
        self.checkpoint()
        with self._lexicon_lock, suppress(OSError):
            save_lexicon(lexicon, self.lexicon_path, generation=self.generation, rules=WORDS_VERSION)
            self._lexicon_saved = lexicon.change

    def checkpoint(self) -> None:
        """Copy the log into the database and sync both: whatever is saved afterwards stands for what is on the disk."""
        with self._database.reading() as db:
            db.execute("PRAGMA main.wal_checkpoint(FULL)")


def words_of(row: Sequence[object]) -> Worded:
    """(id, symbol, path, scope, text) as the full-text table's row."""
    number, symbol, path, scope, text = row
    assert isinstance(number, int)
    return number, split_identifiers(str(symbol)), split_identifiers(f"{path} {scope}"), split_identifiers(str(text))


def any_of(terms: Sequence[str]) -> str:
    """An FTS5 expression for rows with at least one of these words; quoted, as OR and NOT are words too."""
    return " OR ".join(f'"{term}"' for term in dict.fromkeys(terms) if _WORD.fullmatch(term))
