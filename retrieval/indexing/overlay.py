"""Unsaved text of open buffers, seen in place of their files: in memory only, so that it leaves no trace.

Search asks `OverlaidRows` and `OverlaidIndex` as it would ask the store and the vector index; they hide the rows of
the files that are open and add the buffers' own, under negative ids. Only chunks whose passage is new are embedded:
what the store has, or what a buffer had a moment ago, is looked up by its hash.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import chunk_file, passage
from retrieval.encoders.base import Encoder, Vectors
from retrieval.store import K1, B, Globs, Store, passage_hash, split_identifiers
from retrieval.types import Chunk, Filters
from retrieval.vectors import Searchable
from retrieval.vectors.base import best

Ids = NDArray[np.int64]

# Vectors of passages that buffers held lately, so that an undo embeds nothing: 2 MB at 256 dimensions.
REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk of a buffer with the words of its symbol, path and body."""

    id: int
    chunk: Chunk
    hash: bytes
    words: tuple[Counter[str], Counter[str], Counter[str]]

    @property
    def length(self) -> int:
        return sum(words.total() for words in self.words)


@dataclass(frozen=True, slots=True)
class View:
    """The buffers at one moment: rows by id, and their vectors in the same order."""

    paths: frozenset[str]
    rows: Mapping[int, Row]
    ids: Ids
    vectors: Vectors | None  # None without rows, or where some were not embedded

    def nearest(self, query: NDArray[np.float32], allowed: Ids | None) -> tuple[Ids, Vectors]:
        """All rows that are allowed, with their cosines."""
        if self.vectors is None:
            return self.ids[:0], np.empty(0, dtype=np.float32)
        keep = np.ones(len(self.ids), dtype=np.bool_) if allowed is None else np.isin(self.ids, allowed)
        return self.ids[keep], (self.vectors[keep] @ query).astype(np.float32)


class Overlay:
    """The open buffers of one workspace. May be used from any thread."""

    def __init__(self) -> None:
        self._updating = threading.Lock()  # one at a time embeds; queries go on meanwhile
        self._lock = threading.Lock()  # held for moments: what `view` shows
        self._files: dict[str, tuple[Row, ...]] = {}
        self._vectors: dict[bytes, NDArray[np.float32]] = {}
        self._last_id = 0
        self._view: View | None = None
        self._hidden: tuple[int, frozenset[str], Ids] = (-1, frozenset(), np.empty(0, np.int64))

    def __bool__(self) -> bool:
        return bool(self._files)

    def update(self, store: Store, encoder: Encoder | None, path: str, text: str | None) -> int:
        """Show this text in place of the file; None shows the file again. How many chunks were embedded.

        Without an encoder the buffer is found by words only. Raises EncoderError; the buffer is then as it was.
        """
        with self._updating:
            if text is None:
                with self._lock:
                    self._files.pop(path, None)
                    self._view = None
                return 0
            before = {row.hash: row for row in self._files.get(path, ())}
            rows = tuple(self._row(chunk, before) for chunk in chunk_file(path, text))
            fresh, embedded = self._embed(store, encoder, rows)
            with self._lock:
                self._files[path] = rows
                self._vectors |= fresh
                self._forget()
                self._view = None
            return embedded

    def known_vectors(self) -> dict[bytes, NDArray[np.float32]]:
        """Vectors that buffers brought, by the hash of their passage: a save embeds nothing again."""
        with self._lock:
            return dict(self._vectors)

    def view(self) -> View:
        with self._lock:
            if self._view is None:
                rows = {row.id: row for path in sorted(self._files) for row in self._files[path]}
                ids = np.fromiter(rows, dtype=np.int64, count=len(rows))
                vectors = [self._vectors[row.hash] for row in rows.values() if row.hash in self._vectors]
                matrix = np.stack(vectors) if rows and len(vectors) == len(rows) else None
                self._view = View(frozenset(self._files), rows, ids, matrix)
            return self._view

    def hidden(self, store: Store, view: View) -> Ids:
        """The stored rows of the files that are open; asked for again only where the store has changed."""
        change, paths, ids = self._hidden
        if change != store.change or paths != view.paths:
            change = store.change
            found = [row for path in view.paths for row, _ in store.file_chunks(path)]
            ids = np.array(sorted(found), dtype=np.int64)
            self._hidden = (change, view.paths, ids)
        return ids

    def _row(self, chunk: Chunk, before: Mapping[bytes, Row]) -> Row:
        name = passage_hash(passage(chunk))
        if (old := before.get(name)) is not None:
            return Row(old.id, chunk, name, old.words)
        self._last_id -= 1
        texts = (chunk.symbol, f"{chunk.path} {chunk.scope}", chunk.text)
        symbol, path, body = (Counter(split_identifiers(text).split()) for text in texts)
        return Row(self._last_id, chunk, name, (symbol, path, body))

    def _embed(
        self, store: Store, encoder: Encoder | None, rows: Sequence[Row]
    ) -> tuple[dict[bytes, NDArray[np.float32]], int]:
        """The vectors that these rows need beyond those at hand, and how many went through the encoder."""
        if encoder is None:
            return {}, 0
        missing = {row.hash: row.chunk for row in rows if row.hash not in self._vectors}
        known = store.vectors_of_passages(encoder.fingerprint, list(missing))
        new = [name for name in missing if name not in known]
        if new:
            known |= dict(zip(new, encoder.encode_passages([passage(missing[n]) for n in new]), strict=True))
        return known, len(new)

    def _forget(self) -> None:
        """Let go of the oldest vectors that no buffer shows."""
        shown = {row.hash for rows in self._files.values() for row in rows}
        spare = [name for name in self._vectors if name not in shown]
        for name in spare[: max(0, len(spare) - REMEMBERED)]:
            del self._vectors[name]


class OverlaidIndex:
    """A vector index with the buffers' rows in place of the hidden ones. For searching only."""

    def __init__(self, base: Searchable, view: View, hidden: Ids) -> None:
        self._base = base
        self._view = view
        self._hidden = hidden

    def search(self, query: NDArray[np.float32], k: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        stored = None if allowed is None else allowed[allowed >= 0]
        ids, scores = self._base.search(query, k + len(self._hidden), stored)
        keep = ~np.isin(ids, self._hidden)
        mine, cosines = self._view.nearest(query, allowed)
        return best(np.concatenate([ids[keep], mine]), np.concatenate([scores[keep], cosines]), k)

    def __len__(self) -> int:
        return len(self._base) - len(self._hidden) + len(self._view.rows)


class OverlaidRows:
    """What search asks of a store, answered with the buffers' rows in place of the hidden ones."""

    def __init__(self, store: Store, view: View, hidden: Ids) -> None:
        self._store = store
        self._view = view
        self._hidden = frozenset(hidden.tolist())

    def chunk_count(self) -> int:
        return self._store.chunk_count() - len(self._hidden) + len(self._view.rows)

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """Those of the store, and at least 1 where a buffer has the word."""
        counts = self._store.document_frequencies(terms)
        for term, count in counts.items():
            if not count and any(term in words for row in self._view.rows.values() for words in row.words):
                counts[term] = 1
        return counts

    def lexical(self, terms: Sequence[str], limit: int, weights: tuple[float, float, float]) -> list[tuple[int, float]]:
        stored = self._store.lexical(terms, limit + len(self._hidden), weights)
        mine = self._bm25(terms, weights)
        kept = [row for row in stored if row[0] not in self._hidden]
        return heapq.nsmallest(limit, [*kept, *mine], key=lambda row: (-row[1], row[0]))

    def chunks(self, ids: Sequence[int], *, text: bool = True) -> dict[int, Chunk]:
        mine = {i: self._view.rows[i].chunk for i in ids if i in self._view.rows}
        return self._store.chunks([i for i in ids if i >= 0 and i not in self._hidden], text=text) | mine

    def by_symbol(self, names: Sequence[str]) -> list[tuple[int, str]]:
        wanted = {name.lower() for name in names if name}
        stored = [row for row in self._store.by_symbol(names) if row[0] not in self._hidden]
        rows = self._view.rows.values()
        return [*stored, *((row.id, row.chunk.symbol) for row in rows if row.chunk.symbol.lower() in wanted)]

    def allowed(self, filters: Filters) -> Ids | None:
        stored = self._store.allowed(filters)
        if stored is None:
            return None
        globs = Globs(filters.paths)
        mine = [row.id for row in self._view.rows.values() if _passes(row.chunk, filters, globs)]
        return np.array(sorted([*mine, *(set(stored.tolist()) - self._hidden)]), dtype=np.int64)

    def file_chunks(self, path: str) -> list[tuple[int, Chunk]]:
        if path not in self._view.paths:
            return self._store.file_chunks(path)
        return [(row.id, row.chunk) for row in self._view.rows.values() if row.chunk.path == path]

    def vectors(self, fingerprint: str, ids: Sequence[int] | Ids) -> tuple[Ids, Vectors]:
        asked = np.unique(np.asarray(ids, dtype=np.int64))
        stored, matrix = self._store.vectors(fingerprint, asked[asked >= 0])
        mine = np.isin(self._view.ids, asked)
        if self._view.vectors is None or not mine.any():
            return stored, matrix
        own = self._view.vectors[mine]
        return np.concatenate([self._view.ids[mine], stored]), np.concatenate([own, matrix]) if len(stored) else own

    def _bm25(self, terms: Sequence[str], weights: tuple[float, float, float]) -> list[tuple[int, float]]:
        """As the store computes it, so that scores of buffers and of stored rows can be compared."""
        rows = self._view.rows.values()
        if not rows:
            return []
        total, found = self.chunk_count(), self.document_frequencies(terms)
        average = sum(row.length for row in rows) / len(rows)
        idf = {t: max(1e-6, math.log((total - found[t] + 0.5) / (found[t] + 0.5))) for t in dict.fromkeys(terms)}
        scored = []
        for row in rows:
            norm = K1 * (1 - B + B * row.length / average)
            score = 0.0
            for word, rarity in idf.items():
                count = sum(weight * words[word] for weight, words in zip(weights, row.words, strict=True))
                score += rarity * count * (K1 + 1) / (count + norm) if count else 0.0
            if score:
                scored.append((row.id, score))
        return scored


def _passes(chunk: Chunk, filters: Filters, globs: Globs) -> bool:
    return (
        (not filters.languages or chunk.language in {name.lower() for name in filters.languages})
        and (not filters.kinds or chunk.kind in filters.kinds)
        and globs.match(chunk.path)
    )
