"""Order the candidates: base scores, then what names, files and kinds of files say. Each step is visible in a hit.

The score is additive (dense + lexical + names + file), times one factor for the kind of file; a file's further hits then
count less and less, so that one file does not take the list over. What stands in a chunk as the query says it is added last.

The formula is written once, in `rank`: every signal is added by `Scores.add`, for all candidates together, which both
scores and explains them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retrieval.search.candidates import Candidates, last_part
from retrieval.search.definitions import DEFINITION, NAME_ALONE
from retrieval.search.path_kinds import FileKind, kind_of, name_of
from retrieval.search.query import Query, stems
from retrieval.search.weights import Weights
from retrieval.store import Header, stem
from retrieval.types import Chunk, Signal

Values = NDArray[np.float64]
Positions = NDArray[np.int64]

NO_SIZES: Mapping[str, int] = {}
# How many further chunks of a file count for it, each by half of the one before.
FILE_DEPTH = 4
# Chunks of a file whose meaning counts for it; fewer are made up by chunks that mean nothing.
FILE_MEANING_DEPTH = 5
# Chunks that do something; the header of a class in a file that passes names on says little more than its name.
DEFINING = frozenset({"function", "method"})
# Lines between two chunks that stand beside each other.
NEIGHBOR_GAP = 2


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate that may become a hit."""

    id: int
    chunk: Chunk | Header
    score: float = 0.0
    explain: Callable[[], tuple[Signal, ...]] = tuple  # most candidates never become hits: told when asked for
    copies: tuple[Chunk | Header, ...] = ()  # the same text elsewhere

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What each signal did to the score."""
        return self.explain()


class Scores:
    """The scores of some rows, which stand in the order of their places, and every signal that made them."""

    def __init__(self, ids: Sequence[int], chunks: Sequence[Chunk | Header]) -> None:
        self._ids, self._chunks = ids, chunks
        self._signals: list[tuple[str | Sequence[str], Values, Values]] = []
        self.total: Values = np.zeros(len(ids))

    def add(self, name: str | Sequence[str], values: Values, effects: Values) -> None:
        """Add a signal: its value and its effect for each row. It may have another name in each."""
        self._signals.append((name, values, effects))
        self.total = self.total + effects

    def order(self) -> Positions:
        """Positions of the rows, best first; equals go by location, never by row id."""
        return np.argsort(-self.total, kind="stable")

    def ranked(self) -> list[Ranked]:
        """All rows, best first."""
        return [
            Ranked(self._ids[n], self._chunks[n], float(self.total[n]), partial(self._explain, n))
            for n in self.order().tolist()
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


def location_key(chunk: Chunk | Header) -> tuple[str, int, int]:
    """Where a chunk stands: rows are sorted by it."""
    return chunk.path, chunk.start_line, chunk.start_byte


def rank(
    candidates: Candidates,
    chunks: Mapping[int, Chunk] | Mapping[int, Header],
    query: Query,
    idf: dict[str, float],
    weights: Weights,
    sizes: Mapping[str, int] = NO_SIZES,
) -> list[Ranked]:
    """The candidates, best first; ties go by path and line, never by row order. `sizes` are the chunks of their files."""
    there = _present(candidates, chunks)
    ids = candidates.ids[there].tolist()
    rows = [chunks[row] for row in ids]
    dense, lexical, coverage = (
        values[there].astype(np.float64) for values in (candidates.dense, candidates.lexical, candidates.coverage)
    )
    overlap = QueryOverlap({part: idf[part] for part in query.parts})
    names = [candidates.named.get(row, "") for row in ids]
    definition = np.array([_exactness(name, query) if name else 0.0 for name in names])
    symbol = np.array([_symbol_overlap(name, row, overlap) for name, row in zip(names, rows, strict=True)])
    kind = np.array([weights.of_chunk_kind(row.kind) for row in rows])
    group = _files_of(rows)
    files = _files(rows, overlap)
    file_name, folder = np.array([(f.name, f.folder) for f in files]).reshape(-1, 2).T
    kinds = _kinds_of(rows, query, coverage)
    factor = np.array([weights.of_kind(kind) if kind else 1.0 for kind in kinds])
    exact = _exact(candidates, ids, query, kinds, factor)
    focus = _focus(rows, group, sizes)
    file_meaning, neighbor = _file_meaning(dense, group), _neighbor_meaning(rows, dense, group)

    scores = Scores(ids, rows)
    scores.add("meaning", dense, weights.dense * dense)
    scores.add("words", lexical, weights.lexical * lexical)
    scores.add("coverage", coverage, weights.coverage * coverage)
    scores.add(DEFINITION, definition, weights.definition * definition)
    scores.add("symbol", symbol, weights.symbol * symbol)
    scores.add("file name", file_name, weights.stem * file_name)
    scores.add("folder", folder, weights.folder * folder)
    scores.add("file meaning", file_meaning, weights.file_meaning * file_meaning)
    scores.add("focus", focus, weights.focus * focus)
    scores.add("neighbor", neighbor, weights.neighbor * neighbor)
    scores.add([row.kind for row in rows], kind, kind)
    mass = _mass(scores.total, group)
    scores.add("file", mass, weights.file * mass * 0.5)
    scores.add(kinds, factor, scores.total * (factor - 1.0))
    repeats = _ranks_in_group(scores.total, group)
    scores.add("same file", repeats.astype(np.float64), scores.total * (weights.repeat**repeats - 1.0))
    # last, so that neither the kind of file nor other hits of the file take anything from it
    scores.add("exact", exact, (weights.exact_name if query.is_code_name else weights.exact) * exact)
    if query.is_code_name:
        scores.add("definition by name", definition, weights.definition_name * definition * exact)
    return scores.ranked()


def _present(candidates: Candidates, chunks: Mapping[int, Chunk] | Mapping[int, Header]) -> list[int]:
    """Positions of the candidates that are still there, by location: others were deleted since the vectors were read."""
    every = candidates.ids.tolist()
    return sorted((n for n, row in enumerate(every) if row in chunks), key=lambda n: location_key(chunks[every[n]]))


def _kinds_of(rows: Sequence[Chunk | Header], query: Query, coverage: Values) -> list[FileKind | Literal[""]]:
    """The kinds of the files. Where documents alone have words of the query, they are asked for and count as code does."""
    kinds = [_kind_of(row, query) for row in rows]
    covered = {kind == "prose" for share, kind in zip(coverage.tolist(), kinds, strict=True) if share}
    return ["" if kind == "prose" else kind for kind in kinds] if covered == {True} else kinds


def _exact(candidates: Candidates, ids: Sequence[int], query: Query, kinds: Sequence[str], factor: Values) -> Values:
    """How far each row holds the query as it is written. A description in plain words stands in the test of what it describes as
    often as in the code itself, so that a test's factor counts there.
    """
    exact = np.array([candidates.exact.get(row, 0.0) for row in ids])
    if query.phrase and not query.is_code_name and not query.quoted:
        exact *= [test if kind == "test" else 1.0 for kind, test in zip(kinds, factor, strict=True)]
    return exact


def _symbol_overlap(name: str, row: Chunk | Header, overlap: QueryOverlap) -> float:
    """What the query has in common with the best of a chunk's names, and with the one of the query that it defines."""
    names = _names_of(row)
    return max(map(overlap.mean, (name, *names) if name else names))


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


def _names_of(row: Chunk | Header) -> tuple[str, ...]:
    """Its symbol, and all that it defines where that is more."""
    if isinstance(row, Header):
        return (row.symbol, *row.others.split("\n")) if row.others else (row.symbol,)
    return row.symbol, *(symbol.name for symbol in row.symbols)


def _files(rows: Sequence[Chunk | Header], overlap: QueryOverlap) -> list[_File]:
    """The file of each row."""
    files: dict[str, _File] = {}
    for row in rows:
        if row.path not in files:
            bare, folder = name_of(row.path)
            files[row.path] = _File(overlap.mean(bare), overlap.recall(folder))
    return [files[row.path] for row in rows]


def _kind_of(chunk: Chunk | Header, query: Query) -> FileKind | Literal[""]:
    """The kind of file that counts for a chunk, "" where there is none, or the query asks for that very kind. A file that
    passes names on may define others: such a chunk is code.
    """
    kind = kind_of(chunk.path, chunk.language)
    if kind == "code" or stem(kind) in query.terms or (kind == "reexport" and chunk.kind in DEFINING):
        return ""
    return "" if kind == "prose" and query.asks_for_documents else kind


def _files_of(rows: Sequence[Chunk | Header]) -> Positions:
    """The number of each row's file; rows of one file stand together."""
    new = [above.path != below.path for above, below in pairwise(rows)]
    return np.cumsum([0, *new]) if rows else np.empty(0, np.int64)


def _ranks_in_group(values: Values, group: Positions) -> Positions:
    """For each row how many of its group have a higher value; equals go by location."""
    order = np.lexsort((-values, group))
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values)) - np.searchsorted(group, group[order])
    return ranks


def _sum_in_group(values: Values, group: Positions) -> Values:
    """For each row the sum over its group."""
    return np.bincount(group, weights=values)[group].astype(np.float64)


def _mass(scores: Values, group: Positions) -> Values:
    """For each row what the good chunks of its file beside the best are worth: each half of the one before."""
    ranks = _ranks_in_group(scores, group)
    worth = np.where((ranks > 0) & (ranks <= FILE_DEPTH), scores * 0.5**ranks, 0.0)
    return _sum_in_group(worth, group)


def _focus(rows: Sequence[Chunk | Header], group: Positions, sizes: Mapping[str, int]) -> Values:
    """For each row the share of its file's chunks that are candidates; 0 where it is not known how many there are."""
    every = np.array([sizes.get(row.path, 0) for row in rows], dtype=np.float64)
    found = _sum_in_group(np.ones(len(rows)), group)
    return np.where(every > 0, np.minimum(1.0, found / np.maximum(every, 1.0)), 0.0)


def _file_meaning(dense: Values, group: Positions) -> Values:
    """For each row the mean of its file's candidates nearest in meaning; fewer than that many count as far."""
    nearest = np.where(_ranks_in_group(dense, group) < FILE_MEANING_DEPTH, dense, 0.0)
    return _sum_in_group(nearest, group) / FILE_MEANING_DEPTH


def _neighbor_meaning(rows: Sequence[Chunk | Header], dense: Values, group: Positions) -> Values:
    """For each row the better meaning of the candidates right before and behind it, 0 where they are none."""
    starts, ends = np.array([row.start_line for row in rows]), np.array([row.end_line for row in rows])
    adjacent = (group[1:] == group[:-1]) & (starts[1:] - ends[:-1] <= NEIGHBOR_GAP)
    neighbor = np.zeros(len(rows))
    neighbor[:-1] = np.where(adjacent, dense[1:], 0.0)
    neighbor[1:] = np.maximum(neighbor[1:], np.where(adjacent, dense[:-1], 0.0))
    return neighbor


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
