"""Order the candidates: base scores, then what names, files and kinds of files say. Each step is visible in a hit.

The score is additive (dense + lexical + names + file), times one factor for the kind of file; a file's further hits then
count less and less, so that one file does not take the list over.

The formula is written once, in `rank`: every signal is added by `Scores.add`, for all candidates together, which both
scores and explains them.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.search.candidates import Candidates, last_part
from retrieval.search.definitions import DEFINITION, NAME_ALONE
from retrieval.search.path_kinds import kind_of, name_of
from retrieval.search.query import Query, stems
from retrieval.search.weights import Weights
from retrieval.store import Header, stem
from retrieval.types import Chunk, Signal

Values = NDArray[np.float64]

# How many further chunks of a file count for it, each by half of the one before.
FILE_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate that may become a hit, with what each signal did to its score."""

    id: int
    chunk: Chunk | Header
    score: float = 0.0
    signals: tuple[Signal, ...] = ()


class Scores:
    """The scores of some rows, and every signal that made them."""

    def __init__(self, ids: Sequence[int], chunks: Sequence[Chunk | Header]) -> None:
        self._ids, self._chunks = ids, chunks
        self._signals: list[tuple[str | Sequence[str], Values, Values]] = []
        self.total: Values = np.zeros(len(ids))

    def add(self, name: str | Sequence[str], values: Values, effects: Values) -> None:
        """Add a signal: its value and its effect for each row. It may have another name in each."""
        self._signals.append((name, values, effects))
        self.total = self.total + effects

    def order(self) -> list[int]:
        """Positions of the rows, best first; equals go by path and line, never by row order."""
        total = self.total.tolist()

        def key(n: int) -> tuple[float, str, int, int]:
            chunk = self._chunks[n]
            return -total[n], chunk.path, chunk.start_line, chunk.start_byte

        return sorted(range(len(total)), key=key)

    def best(self, limit: int) -> list[Ranked]:
        return [
            Ranked(self._ids[n], self._chunks[n], float(self.total[n]), self._explain(n)) for n in self.order()[:limit]
        ]

    def _explain(self, n: int) -> tuple[Signal, ...]:
        """The signals that had an effect on a row, in the order in which they were added."""
        return tuple(
            Signal(name if isinstance(name, str) else name[n], float(values[n]), float(effects[n]))
            for name, values, effects in self._signals
            if effects[n]
        )


@dataclass(frozen=True, slots=True)
class _File:
    """What the candidates of one file share."""

    name: float  # how far the query says the file's name
    folder: float
    kind: str  # "" where it makes no difference
    factor: float


def rank(
    candidates: Candidates,
    chunks: Mapping[int, Chunk] | Mapping[int, Header],
    query: Query,
    idf: dict[str, float],
    weights: Weights,
    limit: int,
) -> list[Ranked]:
    """The best candidates, best first; ties go by path and line, never by row order."""
    ids = candidates.ids.tolist()
    there = [n for n, row in enumerate(ids) if row in chunks]  # others were deleted since the vectors were read
    ids = [ids[n] for n in there]
    rows = [chunks[row] for row in ids]
    dense, lexical = candidates.dense[there].astype(np.float64), candidates.lexical[there].astype(np.float64)
    overlap = QueryOverlap({part: idf[part] for part in query.parts})
    names = [candidates.named.get(row, "") for row in ids]
    definition = np.array([_exactness(name, query) if name else 0.0 for name in names])
    symbol = np.array([max(overlap.mean(n), overlap.mean(row.symbol)) for n, row in zip(names, rows, strict=True)])
    files = _files(rows, query, overlap, weights)
    file_name, folder, factor = np.array([(f.name, f.folder, f.factor) for f in files]).reshape(-1, 3).T

    scores = Scores(ids, rows)
    scores.add("meaning", dense, weights.dense * dense)
    scores.add("words", lexical, weights.lexical * lexical)
    scores.add(DEFINITION, definition, weights.definition * definition)
    scores.add("symbol", symbol, weights.symbol * symbol)
    scores.add("file name", file_name, weights.stem * file_name)
    scores.add("folder", folder, weights.folder * folder)
    mass = _mass_of_files(rows, scores.total)
    scores.add("file", mass, weights.file * mass * 0.5)
    scores.add([file.kind for file in files], factor, scores.total * (factor - 1.0))
    repeats = _repeats(rows, scores.order())
    scores.add(
        "same file",
        np.array(repeats, dtype=np.float64),
        scores.total * np.array([weights.repeat**times - 1.0 for times in repeats]),
    )
    return scores.best(limit)


class QueryOverlap:
    """The stems that a query is made of, with their idf; what names have in common with them is counted once a name."""

    def __init__(self, idf: dict[str, float]) -> None:
        self._idf = idf
        self._total = sum(idf.values())
        self._overlaps: dict[str, float] = {}
        self._recalls: dict[str, float] = {}

    def mean(self, name: str) -> float:
        """How far a name and the query say the same, 0..1: the geometric mean of the shares of each that they share."""
        overlap = self._overlaps.get(name)
        if overlap is None:
            parts = stems(name)
            shared = [part for part in parts if part in self._idf]
            overlap = math.sqrt(self._share(shared) * len(shared) / len(parts)) if shared else 0.0
            self._overlaps[name] = overlap
        return overlap

    def recall(self, name: str) -> float:
        """The share of the query that a name holds, 0..1."""
        recall = self._recalls.get(name)
        if recall is None:
            recall = self._recalls[name] = self._share([part for part in stems(name) if part in self._idf])
        return recall

    def _share(self, parts: Sequence[str]) -> float:
        return sum(self._idf[part] for part in parts) / self._total if parts else 0.0


def _files(rows: Sequence[Chunk | Header], query: Query, overlap: QueryOverlap, weights: Weights) -> list[_File]:
    """The file of each row."""
    files: dict[str, _File] = {}
    for row in rows:
        if row.path not in files:
            files[row.path] = _file(row, query, overlap, weights)
    return [files[row.path] for row in rows]


def _file(chunk: Chunk | Header, query: Query, overlap: QueryOverlap, weights: Weights) -> _File:
    """A file's names against the query, and one factor for its kind, unless the query asks for that very kind."""
    bare, folder = name_of(chunk.path)
    kind = kind_of(chunk.path, chunk.language)
    plain = kind == "code" or stem(kind) in query.terms
    factor: float = 1.0 if plain else weights.of_kind(kind)
    return _File(overlap.mean(bare), overlap.recall(folder), "" if plain else kind, factor)


def _mass_of_files(rows: Sequence[Chunk | Header], total: Values) -> Values:
    """For each row what the other good chunks of its file are worth."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row, score in zip(rows, total.tolist(), strict=True):
        scores[row.path].append(score)
    mass = {path: _mass(of_file) for path, of_file in scores.items()}
    return np.array([mass[row.path] for row in rows], dtype=np.float64)


def _repeats(rows: Sequence[Chunk | Header], order: Sequence[int]) -> list[int]:
    """For each row how many of its file come before it."""
    repeats, shown = [0] * len(rows), dict[str, int]()
    for n in order:
        path = rows[n].path
        repeats[n] = shown.get(path, 0)
        shown[path] = repeats[n] + 1
    return repeats


def _mass(scores: Sequence[float]) -> float:
    """What the good chunks of a file beside its best are worth."""
    if len(scores) < 2:
        return 0.0
    return sum(score * 0.5**n for n, score in enumerate(heapq.nlargest(FILE_DEPTH + 1, scores)[1:], 1))


def _exactness(defined: str, query: Query) -> float:
    """1 where a chunk defines the name as written, less for another case; half where the query says more."""
    best = 0.0
    for name in query.names:
        last = last_part(name)
        if defined == last:
            best = max(best, 1.0)
        elif defined.lower() == last.lower():
            best = max(best, NAME_ALONE)
    return best if query.is_name else best / 2
