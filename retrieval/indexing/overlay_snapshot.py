"""The index as one query sees it: the store at one revision, the buffers at one moment in place of their files.

Nothing here changes once it is made, so that one query sees one state; rows that the store loses meanwhile are told by
its revision, and the workspace asks again. Where the words of the store are in memory, statistics are those of the
rows that are seen, as if the buffers were saved: an answer then equals that of a fresh index of the same text. While
they are not at hand (a large workspace before its first quiet moment) stored rows are scored by the full-text table,
with statistics that still count the hidden rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders.protocol import Vectors
from retrieval.globs import PathMatcher
from retrieval.store import Bm25Snapshot, ChunkText, Header, Store, index_terms
from retrieval.store.rows import NO_STRUCTURE, PackedStructure
from retrieval.store.structures import NameInFile
from retrieval.store.top_k import SortKey, top_k
from retrieval.text_pattern import TextPattern
from retrieval.types import LAST_LINE, Chunk, Filters
from retrieval.vectors import ExactIndex, Searchable
from retrieval.vectors.protocol import top_k as nearest_rows

Ids = NDArray[np.int64]

# Nearest rows asked for beyond the limit at first, for those that are hidden: seldom are more of them among the best.
_SPARE = 64

EMPTY_STRUCTURE_BYTES = 12  # of a file that defines and calls nothing

_LETTERS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True, eq=False)
class BufferChunk:
    """A chunk of a buffer. Its vector is None where it was not embedded."""

    id: int
    chunk: Chunk
    hash: bytes  # of its passage
    vector: NDArray[np.float32] | None = None

    @property
    def key(self) -> tuple[bytes, str, str]:
        """Rows with the same one have the same words and vector."""
        return self.hash, self.chunk.symbol, self.chunk.scope

    @property
    def names(self) -> frozenset[str]:
        """All names that it defines."""
        return frozenset({symbol.name for symbol in self.chunk.symbols} | {self.chunk.symbol}) - {""}

    @property
    def header(self) -> Header:
        chunk = self.chunk
        return Header(
            chunk.path,
            chunk.language,
            chunk.kind,
            chunk.symbol,
            chunk.start_line,
            chunk.end_line,
            chunk.start_byte,
            chunk.end_byte,
            "\n".join(symbol.name for symbol in chunk.symbols),
        )

    @property
    def text(self) -> ChunkText:
        chunk = self.chunk
        return ChunkText(chunk.path, chunk.language, chunk.symbol, chunk.scope, chunk.start_line, chunk.text)

    @property
    def sort_key(self) -> SortKey:
        return self.chunk.path, self.chunk.start_byte, self.chunk.end_byte


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """One open document."""

    text: str
    language: str
    rows: tuple[BufferChunk, ...]
    symbols: Mapping[str, tuple[int, ...]]  # ids by folded symbol
    waiting: int  # rows that have no vector
    structure: PackedStructure = NO_STRUCTURE  # empty where nothing of it is shown

    @classmethod
    def of(
        cls, text: str, language: str, rows: tuple[BufferChunk, ...], structure: PackedStructure = NO_STRUCTURE
    ) -> Buffer:
        symbols: dict[str, tuple[int, ...]] = {}
        for row in rows:
            for name in {folded(name) for name in row.names}:
                symbols[name] = (*symbols.get(name, ()), row.id)
        return cls(text, language, rows, symbols, sum(row.vector is None for row in rows), structure)

    def named(self, name: str) -> tuple[int, str] | None:
        """How often a name is defined, and the data of its row; None where it does not occur."""
        at = bisect_left(self.structure.names, (name,))
        found = self.structure.names[at : at + 1]
        return found[0][1:] if found and found[0][0] == name else None

    @property
    def embedded(self) -> bool:
        return not self.waiting


@dataclass(frozen=True, slots=True, eq=False)
class BuffersSnapshot:
    """All buffers at one moment."""

    buffers: Mapping[str, Buffer] = field(default_factory=dict)  # by path
    rows: Mapping[int, BufferChunk] = field(default_factory=dict)
    corpus: Bm25Snapshot = field(default_factory=Bm25Snapshot)
    index: ExactIndex | None = None
    fingerprint: str = ""  # of the encoder that made its vectors


class OverlaidIndex:
    """A vector index with the buffers' rows in place of the hidden ones. For searching only."""

    def __init__(self, base: Searchable, buffers: ExactIndex | None, hidden: Ids) -> None:
        self._base = base
        self._buffers = buffers
        self._hidden = hidden

    def search(self, query: NDArray[np.float32], limit: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        ids, scores = self._stored(query, limit, None if allowed is None else allowed[allowed >= 0])
        if self._buffers is None:
            return ids, scores
        mine, cosines = self._buffers.search(query, limit, allowed)
        return nearest_rows(np.concatenate([ids, mine]), np.concatenate([scores, cosines]), limit)

    def _stored(self, query: NDArray[np.float32], limit: int, allowed: Ids | None) -> tuple[Ids, Vectors]:
        """The nearest rows that are not hidden: more are asked for until so many are left."""
        fetch = limit + min(_SPARE, len(self._hidden))
        while True:
            ids, scores = self._base.search(query, fetch, allowed)
            keep = ~np.isin(ids, self._hidden)
            if len(ids) < fetch or int(keep.sum()) >= limit or fetch >= limit + len(self._hidden):
                return ids[keep][:limit], scores[keep][:limit]
            fetch = min(2 * fetch, limit + len(self._hidden))

    def cosines(self, query: NDArray[np.float32], ids: Ids) -> Vectors:
        found = self._base.cosines(query, ids)
        found[np.isin(ids, self._hidden)] = np.nan
        if self._buffers is not None:
            mine = ids < 0
            found[mine] = self._buffers.cosines(query, ids[mine])
        return found

    def __len__(self) -> int:
        """At least 1 where there may be anything: hidden rows need not have vectors."""
        return max(len(self._base) - len(self._hidden), min(len(self._base), 1)) + (
            0 if self._buffers is None else len(self._buffers)
        )


class StoreSnapshot:
    """The store at one change without the rows of the files that are open: the same while somebody types."""

    def __init__(
        self, store: Store, revision: int, words: Bm25Snapshot | None, paths: frozenset[str], hidden: Ids
    ) -> None:
        self.store = store
        self.revision = revision
        self.words = words  # all of the store's, where they are at hand
        self.paths = paths
        self.hidden = hidden
        self.hidden_ids = frozenset(hidden.tolist())
        self.left = None if words is None else words.without(hidden)


class OverlaidRows:
    """What search asks of a store."""

    def __init__(self, stored: StoreSnapshot, view: BuffersSnapshot) -> None:
        self.stored = stored
        self.view = view
        self.store = stored.store
        self.hidden = stored.hidden
        self.revision = stored.revision
        self._hidden_ids = stored.hidden_ids
        self._snapshot = None if stored.left is None else stored.left.union(view.corpus)

    def chunk_count(self) -> int:
        if self._snapshot is not None:
            return self._snapshot.count
        return self.store.chunks.count() - len(self.hidden) + len(self.view.rows)

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        if self._snapshot is not None:
            return self._snapshot.frequencies(terms)
        counts, mine = self.store.full_text.document_frequencies(terms), self.view.corpus.frequencies(terms)
        return {term: counts[term] or mine[term] for term in terms}

    def lexical(
        self,
        terms: Sequence[str],
        limit: int,
        weights: tuple[float, float, float],
        allowed: Ids | None = None,
    ) -> list[tuple[int, float]]:
        words = index_terms(terms)
        if self._snapshot is not None:
            return top_k(*self._snapshot.search(words, limit, weights, allowed), limit, self.sort_keys)
        stored = None if allowed is None else allowed[allowed >= 0]
        table = self.store.full_text.search(words, limit + len(self.hidden), weights, stored)
        kept = [row for row in table if row[0] not in self._hidden_ids]
        ids, scores = self.view.corpus.search(words, limit, weights, allowed)
        ids = np.concatenate([np.array([row for row, _ in kept], dtype=np.int64), ids])
        return top_k(ids, np.concatenate([np.array([score for _, score in kept]), scores]), limit, self.sort_keys)

    def phrase(self, words: Sequence[str], limit: int) -> Ids:
        """The stored rows that hold these words side by side, and of the buffers' rows those that hold all of them."""
        found = self.store.full_text.phrase(words, limit + len(self.hidden))
        stored = found[~np.isin(found, self.hidden)][:limit]
        mine = np.array(sorted(self.view.rows), dtype=np.int64)
        return np.concatenate([mine[self.view.corpus.holding(words, mine).all(axis=1)], stored])

    def holding(self, terms: Sequence[str], ids: Ids) -> NDArray[np.bool_]:
        if self._snapshot is not None:
            return self._snapshot.holding(terms, ids)
        stored: NDArray[np.bool_] = self.store.full_text.holding(terms, ids)
        return stored | self.view.corpus.holding(terms, ids)

    def chunks(self, ids: Sequence[int]) -> dict[int, Chunk]:
        mine = {i: self.view.rows[i].chunk for i in ids if i in self.view.rows}
        return self.store.chunks.get([i for i in ids if i >= 0 and i not in self._hidden_ids]) | mine

    def texts(self, ids: Sequence[int]) -> dict[int, ChunkText]:
        mine = {i: self.view.rows[i].text for i in ids if i in self.view.rows}
        stored = [i for i in ids if i >= 0 and i not in self._hidden_ids]
        return self.store.chunks.texts(stored, self.revision) | mine

    def headers(self, ids: Sequence[int]) -> dict[int, Header]:
        mine = {i: self.view.rows[i].header for i in ids if i in self.view.rows}
        stored = [i for i in ids if i >= 0 and i not in self._hidden_ids]
        return self.store.chunks.headers(stored, self.revision) | mine

    def sort_keys(self, ids: Sequence[int]) -> dict[int, SortKey]:
        mine = {i: self.view.rows[i].sort_key for i in ids if i in self.view.rows}
        return self.store.chunks.sort_keys([i for i in ids if i >= 0]) | mine

    def by_symbol(self, names: Sequence[str]) -> list[tuple[int, str]]:
        stored = [row for row in self.store.chunks.by_symbol(names) if row[0] not in self._hidden_ids]
        wanted = {folded(name) for name in names if name}
        buffers = self.view.buffers.values()
        mine = [row for name in wanted for buffer in buffers for row in buffer.symbols.get(name, ())]
        return [*stored, *((row, name) for row in mine for name in self._names(row) if folded(name) in wanted)]

    def _names(self, row: int) -> list[str]:
        return sorted(self.view.rows[row].names)

    def allowed(self, filters: Filters) -> Ids | None:
        stored = self.store.chunks.allowed(filters)
        if stored is None or not (self.view.buffers or len(self.hidden)):
            return stored
        paths = PathMatcher(filters)
        buffers = [(path, buffer) for path, buffer in self.view.buffers.items() if paths.match(path)]
        rows = [row for _, buffer in buffers for row in _passing(buffer, filters)]
        if filters.grep:
            matching = set(TextPattern(filters.grep).keep((row.id, row.chunk.text) for row in rows))
            rows = [row for row in rows if row.id in matching]
        mine = [row.id for row in rows]
        kept = np.setdiff1d(stored, self.hidden, assume_unique=True)
        return np.concatenate([np.array(sorted(mine), dtype=np.int64), kept])

    def chunks_of_files(self, paths: Collection[str]) -> dict[str, int]:
        mine = {path: len(self.view.buffers[path].rows) for path in paths if path in self.view.buffers}
        stored = self.store.chunks.count_in_files([path for path in paths if path not in mine], self.revision)
        return stored | mine

    def file_chunks(self, path: str, first_line: int = 1, last_line: int = LAST_LINE) -> list[tuple[int, Chunk]]:
        buffer = self.view.buffers.get(path)
        if buffer is None:
            return self.store.chunks.in_file(path, first_line, last_line)
        rows = [(row.id, row.chunk) for row in buffer.rows]
        return [(i, chunk) for i, chunk in rows if chunk.start_line <= last_line and chunk.end_line >= first_line]

    def texts_between(self, path: str, first_line: int, last_line: int) -> list[ChunkText]:
        buffer = self.view.buffers.get(path)
        if buffer is None:
            return self.store.chunks.between(path, first_line, last_line)
        rows = (row for row in buffer.rows if row.chunk.start_line <= last_line and row.chunk.end_line >= first_line)
        return [row.text for row in rows]

    def named(self, name: str, limit: int) -> list[NameInFile]:
        """The files that define or use a name, those that define it first: buffers in place of their files."""
        stored = [row for row in self.store.structures.named(name, limit) if row.path not in self.view.buffers]
        rows = [*self._in_buffers(name), *stored]
        return sorted(rows, key=lambda row: (not row.defines, row.path))[:limit]

    def defining(self, names: Sequence[str]) -> list[tuple[str, NameInFile]]:
        """The files that define these names."""
        stored = [row for row in self.store.structures.defining(names) if row[1].path not in self.view.buffers]
        mine = [(name, row) for name in names for row in self._in_buffers(name) if row.defines]
        return [*mine, *stored]

    def _in_buffers(self, name: str) -> list[NameInFile]:
        return [
            NameInFile(path, buffer.language, *found)
            for path, buffer in self.view.buffers.items()
            if (found := buffer.named(name)) is not None
        ]

    def defined_names(self, prefix: str, limit: int) -> list[str]:
        """Names that are defined and begin so, those in buffers first."""
        names = (row for buffer in self.view.buffers.values() for row in buffer.structure.names)
        mine = [name for name, defines, _ in names if defines and name.startswith(prefix)]
        return [*mine, *self.store.structures.beginning(prefix, limit)][:limit]

    def structures_of(self, paths: Sequence[str]) -> dict[str, bytes]:
        """What these files and buffers define, call and import, packed."""
        buffers = self.view.buffers
        mine = {path: buffers[path].structure.data for path in paths if path in buffers}
        stored = self.store.structures.of_files([path for path in paths if path not in mine])
        return stored | {path: data for path, data in mine.items() if data}

    def structure_sizes(self, path: str) -> dict[str, int]:
        """How many bytes the structures take of a file, of those in a folder, or of all ("")."""
        sizes = self.store.structures.sizes(path)
        for name, buffer in self.view.buffers.items():
            if not path or name == path or name.startswith(f"{path}/"):
                sizes[name] = len(buffer.structure.data)
        return {name: size for name, size in sizes.items() if size > EMPTY_STRUCTURE_BYTES}

    def structure_of(self, path: str) -> bytes | None:
        """What a file or buffer defines, calls and imports, packed."""
        buffer = self.view.buffers.get(path)
        return self.store.structures.of_file(path) if buffer is None else buffer.structure.data or None


def _passing(buffer: Buffer, filters: Filters) -> list[BufferChunk]:
    return [
        row
        for row in buffer.rows
        if filters.passes_language(row.chunk.language, buffer.language)
        and filters.passes_kind({row.chunk.kind, *(symbol.kind for symbol in row.chunk.symbols)})
    ]


def folded(name: str) -> str:
    """Without the case of ASCII letters: as the store compares names."""
    return name.translate(_LETTERS)
