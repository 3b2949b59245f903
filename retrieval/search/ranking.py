"""Order the candidates: base scores, then what names, files and kinds of files say. Each step is visible in a hit.

The score is additive (dense + words + names + file), times one factor for the kind of file; a file's further hits then
count less and less, so that one file does not take the list over.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval.search.candidates import Candidates, last_part
from retrieval.search.paths import kind_of, name_of
from retrieval.search.query import Query, stems
from retrieval.search.weights import Weights
from retrieval.store import stem
from retrieval.types import Chunk, Signal

# How many further chunks of a file count for it, each by half of the one before.
FILE_DEPTH = 4


@dataclass(slots=True)
class Ranked:
    """A candidate on its way to becoming a hit. Its signals are plain tuples until then: most candidates never do."""

    id: int
    chunk: Chunk
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    score: float = 0.0

    def add(self, name: str, value: float, effect: float) -> None:
        if effect:
            self.parts.append((name, value, effect))
            self.score += effect

    @property
    def signals(self) -> tuple[Signal, ...]:
        return tuple(Signal(*part) for part in self.parts)


def rank(
    candidates: Candidates, chunks: dict[int, Chunk], query: Query, idf: dict[str, float], weights: Weights, k: int
) -> list[Ranked]:
    """The best k candidates, best first; ties go by path and line, never by row order."""
    wanted = Wanted({part: idf[part] for part in query.parts})
    rows = []
    for row, dense, lexical, defines in zip(
        candidates.ids.tolist(),
        candidates.dense.tolist(),
        candidates.lexical.tolist(),
        candidates.defines.tolist(),
        strict=True,
    ):
        if (chunk := chunks.get(row)) is None:
            continue  # deleted since the vectors were read
        ranked = Ranked(row, chunk)
        ranked.add("meaning", dense, weights.dense * dense)
        ranked.add("words", lexical, weights.lexical * lexical)
        if defines:
            ranked.add("definition", 1.0, weights.definition * _exactness(chunk, query))
        _names(ranked, wanted, weights)
        rows.append(ranked)
    _files(rows, weights)
    for ranked in rows:
        _kind(ranked, query, weights)
    return _spread(rows, weights.repeat, k)


class Wanted:
    """The stems that a query is made of, with their idf; what names have in common with them is counted once a name."""

    def __init__(self, idf: dict[str, float]) -> None:
        self._idf = idf
        self._total = sum(idf.values())
        self._overlaps: dict[str, float] = {}
        self._recalls: dict[str, float] = {}

    def overlap(self, name: str) -> float:
        """How far a name and the query say the same, 0..1: the geometric mean of the shares of each that they share."""
        known = self._overlaps.get(name)
        if known is None:
            parts = stems(name)
            shared = [part for part in parts if part in self._idf]
            known = math.sqrt(self._share(shared) * len(shared) / len(parts)) if shared else 0.0
            self._overlaps[name] = known
        return known

    def recall(self, name: str) -> float:
        """The share of the query that a name holds, 0..1."""
        known = self._recalls.get(name)
        if known is None:
            known = self._recalls[name] = self._share([part for part in stems(name) if part in self._idf])
        return known

    def _share(self, found: Sequence[str]) -> float:
        return sum(self._idf[part] for part in found) / self._total if found else 0.0


def _names(ranked: Ranked, wanted: Wanted, weights: Weights) -> None:
    bare, folder = name_of(ranked.chunk.path)
    for name, value, weight in (
        ("symbol", wanted.overlap(ranked.chunk.symbol), weights.symbol),
        ("file name", wanted.overlap(bare), weights.stem),
        ("folder", wanted.recall(folder), weights.folder),
    ):
        ranked.add(name, value, weight * value)


def _exactness(chunk: Chunk, query: Query) -> float:
    """1 where the chunk's own symbol is the name as written, less for another case; half where the query says more."""
    best = 0.0
    for name in query.names:
        last = last_part(name)
        if chunk.symbol == last:
            best = max(best, 1.0)
        elif chunk.symbol.lower() == last.lower():
            best = max(best, 0.8)
    return best if query.is_name else best / 2


def _files(rows: Sequence[Ranked], weights: Weights) -> None:
    """Add to every chunk what the other good chunks of its file are worth."""
    by_path: dict[str, list[Ranked]] = defaultdict(list)
    for ranked in rows:
        by_path[ranked.chunk.path].append(ranked)
    for group in by_path.values():
        scores = heapq.nlargest(FILE_DEPTH + 1, (r.score for r in group))
        mass = sum(s * 0.5 ** (n + 1) for n, s in enumerate(scores[1:]))
        for ranked in group:
            ranked.add("file", mass, weights.file * mass * 0.5)


def _kind(ranked: Ranked, query: Query, weights: Weights) -> None:
    """One factor for the kind of file, unless the query asks for that very kind."""
    kind = kind_of(ranked.chunk.path, ranked.chunk.language)
    if kind == "code" or stem(kind) in query.terms:
        return
    factor: float = getattr(weights, kind)
    ranked.add(kind, factor, ranked.score * (factor - 1.0))


def _spread(rows: Sequence[Ranked], repeat: float, k: int) -> list[Ranked]:
    """The best k, the n-th further hit of a file counting `repeat` to the power of n."""
    shown: dict[str, int] = defaultdict(int)
    for ranked in sorted(rows, key=in_order):
        times = shown[ranked.chunk.path]
        ranked.add("same file", float(times), ranked.score * (repeat**times - 1.0))
        shown[ranked.chunk.path] += 1
    return heapq.nsmallest(k, rows, key=in_order)


def in_order(ranked: Ranked) -> tuple[float, str, int, int]:
    """Best first, equals by place."""
    return (-ranked.score, ranked.chunk.path, ranked.chunk.start_line, ranked.chunk.start_byte)
