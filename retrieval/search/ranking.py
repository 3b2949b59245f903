"""Order the candidates: base scores, then what names, files and kinds of files say. Each step is visible in a hit.

The score is additive (dense + words + names + file), times one factor for the kind of file; a file's further hits then
count less and less, so that one file does not take the list over.

Most candidates never become hits, so they are scored with plain numbers; what each step did is told for the best only,
by taking the same steps again.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.search.candidates import Candidates, last_part
from retrieval.search.definitions import DEFINITION, NAME_ALONE
from retrieval.search.path_kinds import kind_of, name_of
from retrieval.search.query import Query, stems
from retrieval.search.weights import Weights
from retrieval.store import Header, stem
from retrieval.types import Chunk, Signal

# How many further chunks of a file count for it, each by half of the one before.
FILE_DEPTH = 4


@dataclass(slots=True)
class Ranked:
    """A candidate that may become a hit, with what each step did to its score."""

    id: int
    chunk: Chunk | Header
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    score: float = 0.0

    def add(self, name: str, value: float, effect: float) -> None:
        if effect:
            self.parts.append((name, value, effect))
            self.score += effect

    @property
    def signals(self) -> tuple[Signal, ...]:
        return tuple(Signal(*part) for part in self.parts)


@dataclass(slots=True)
class _File:
    """What the candidates of one file share."""

    name: float  # how far the query says the file's name
    folder: float
    kind: str  # "" where it makes no difference
    factor: float
    scores: list[float] = field(default_factory=list)
    mass: float = 0.0  # what the other good chunks are worth
    shown: int = 0  # candidates that come before the present one


@dataclass(slots=True)
class _Candidate:
    id: int
    chunk: Chunk | Header
    dense: float
    lexical: float
    definition: float
    symbol: float
    file: _File
    score: float
    times: int = 0  # candidates of the same file that come before it


def rank(
    candidates: Candidates,
    chunks: Mapping[int, Chunk] | Mapping[int, Header],
    query: Query,
    idf: dict[str, float],
    weights: Weights,
    k: int,
) -> list[Ranked]:
    """The best k candidates, best first; ties go by path and line, never by row order."""
    wanted = Wanted({part: idf[part] for part in query.parts})
    files: dict[str, _File] = {}
    rows = []
    for row, dense, lexical in zip(
        candidates.ids.tolist(), candidates.dense.tolist(), candidates.lexical.tolist(), strict=True
    ):
        if (chunk := chunks.get(row)) is None:
            continue  # deleted since the vectors were read
        if (file := files.get(chunk.path)) is None:
            file = files[chunk.path] = _file(chunk, query, wanted, weights)
        name = candidates.named.get(row, "")
        definition = _exactness(name, query) if name else 0.0
        symbol = max(wanted.overlap(name), wanted.overlap(chunk.symbol))
        score = weights.dense * dense + weights.lexical * lexical
        score += weights.definition * definition
        score += weights.symbol * symbol
        score += weights.stem * file.name
        score += weights.folder * file.folder
        file.scores.append(score)
        rows.append(_Candidate(row, chunk, dense, lexical, definition, symbol, file, score))
    for file in files.values():
        file.mass = _mass(file.scores)
    for each in rows:
        each.score += weights.file * each.file.mass * 0.5
        each.score += each.score * (each.file.factor - 1.0)
    for each in sorted(rows, key=in_order):
        each.times = each.file.shown
        each.file.shown += 1
        each.score += each.score * (weights.repeat**each.times - 1.0)
    return [_explained(each, weights) for each in sorted(rows, key=in_order)[:k]]


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


def _file(chunk: Chunk | Header, query: Query, wanted: Wanted, weights: Weights) -> _File:
    """A file's names against the query, and one factor for its kind, unless the query asks for that very kind."""
    bare, folder = name_of(chunk.path)
    kind = kind_of(chunk.path, chunk.language)
    plain = kind == "code" or stem(kind) in query.terms
    factor: float = 1.0 if plain else getattr(weights, kind)
    return _File(wanted.overlap(bare), wanted.recall(folder), "" if plain else kind, factor)


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


def _explained(candidate: _Candidate, weights: Weights) -> Ranked:
    """The candidate with the steps that made its score."""
    file, ranked = candidate.file, Ranked(candidate.id, candidate.chunk)
    ranked.add("meaning", candidate.dense, weights.dense * candidate.dense)
    ranked.add("words", candidate.lexical, weights.lexical * candidate.lexical)
    ranked.add(DEFINITION, candidate.definition, weights.definition * candidate.definition)
    ranked.add("symbol", candidate.symbol, weights.symbol * candidate.symbol)
    ranked.add("file name", file.name, weights.stem * file.name)
    ranked.add("folder", file.folder, weights.folder * file.folder)
    ranked.add("file", file.mass, weights.file * file.mass * 0.5)
    ranked.add(file.kind, file.factor, ranked.score * (file.factor - 1.0))
    ranked.add("same file", float(candidate.times), ranked.score * (weights.repeat**candidate.times - 1.0))
    return ranked


def in_order(ranked: Ranked | _Candidate) -> tuple[float, str, int, int]:
    """Best first, equals by place."""
    return (-ranked.score, ranked.chunk.path, ranked.chunk.start_line, ranked.chunk.start_byte)
