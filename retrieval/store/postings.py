"""Rows and their words as arrays: what BM25 in memory adds up (see bm25.py).

A segment is immutable, so reading it takes no lock. A word's rows lie side by side, 6 bytes a word and row; words are
64-bit hashes, the same in every process.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# A word's counts in the three columns, packed into 16 bits: symbol 3, path 4, body 9; higher counts are clipped.
_UNITS = (1 << 13, 1 << 9, 1)
_MAX_COUNTS = (7, 15, 511)
# One occurrence in each column, before counts are cut down to the packed form.
_WIDE = np.array([1 << 42, 1 << 21, 1], dtype=np.int64)
_MEMO_WORDS = 200_000

Ids = NDArray[np.int64]
Columns = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows and their words. `rows` and `counts` hold, word by word, where it stands and how often."""

    ids: Ids  # of the rows, ascending: rows are only ever added with higher ids
    lengths: NDArray[np.int64]  # words in the row
    words: NDArray[np.uint64]  # hashes, ascending
    starts: NDArray[np.int64]  # of each word in `rows`, and the end
    rows: NDArray[np.uint32]  # positions in `ids`
    counts: NDArray[np.uint16]

    def postings(self, word: int) -> slice:
        at = int(np.searchsorted(self.words, np.uint64(word)))
        if at == len(self.words) or int(self.words[at]) != word:
            return slice(0, 0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """A segment, and which of its rows are live (not removed): None for all, the usual and faster case."""

    segment: Segment
    live: NDArray[np.bool_] | None
    count: int
    total_length: int

    @classmethod
    def of(cls, segment: Segment) -> LiveSegment:
        return cls(segment, None, len(segment.ids), int(segment.lengths.sum()))

    def live_ids(self) -> Ids:
        """The ids of the live rows, ascending."""
        return self.segment.ids if self.live is None else self.segment.ids[self.live]

    def occurrences(self, word: int) -> tuple[slice, int]:
        """Where a word's rows are listed, and how many of them are live."""
        at = self.segment.postings(word)
        return at, at.stop - at.start if self.live is None else int(np.count_nonzero(self.live[self.segment.rows[at]]))

    def without(self, gone: Ids) -> LiveSegment:
        """The cost grows with the rows removed, plus a copy of one byte a row."""
        ids = self.segment.ids
        at = np.searchsorted(ids, gone)
        at = at[at < len(ids)]
        at = np.unique(at[np.isin(ids[at], gone)])
        if self.live is not None:
            at = at[self.live[at]]
        if not len(at):
            return self
        live = np.ones(len(ids), np.bool_) if self.live is None else self.live.copy()
        live[at] = False
        return LiveSegment(
            self.segment, live, self.count - len(at), self.total_length - int(self.segment.lengths[at].sum())
        )


class SegmentBuilder:
    """Collects new rows: their words one after the other, and how many each column has."""

    def __init__(self) -> None:
        self._ids, self._lengths, self._words = array("q"), array("q"), array("Q")

    def __bool__(self) -> bool:
        return bool(self._ids)

    @property
    def tokens(self) -> int:
        return len(self._words)

    def add(self, row: int, columns: Columns) -> None:
        self._ids.append(row)
        for text in columns:
            words = text.split()
            self._lengths.append(len(words))
            self._words.extend(map(number_of, words))

    def segment(self) -> Segment:
        ids = np.array(self._ids, dtype=np.int64)
        lengths = np.array(self._lengths, dtype=np.int64)
        words = np.array(self._words, dtype=np.uint64)
        column = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)
        order = np.argsort(words, kind="stable")
        words, rows, units = words[order], column[order] // 3, _WIDE[column[order] % 3]
        first = np.flatnonzero(np.append(True, (words[1:] != words[:-1]) | (rows[1:] != rows[:-1]))[: len(words)])
        counts = _packed(np.add.reduceat(units, first)) if len(first) else np.empty(0, np.uint16)
        return _segment(ids, lengths.reshape(-1, 3).sum(axis=1), words[first], rows[first], counts)


def merged(parts: Sequence[LiveSegment]) -> Segment:
    """One segment of the live rows."""
    ids: list[Ids] = []
    lengths: list[NDArray[np.int64]] = []
    words: list[NDArray[np.uint64]] = []
    rows: list[NDArray[np.uint32]] = []
    counts: list[NDArray[np.uint16]] = []
    base = 0
    for part in parts or (LiveSegment.of(_EMPTY),):
        segment = part.segment
        live = np.ones(len(segment.ids), np.bool_) if part.live is None else part.live
        new_rows = np.cumsum(live) - 1 + base
        keep = live[segment.rows]
        words.append(np.repeat(segment.words, np.diff(segment.starts))[keep])
        rows.append(new_rows[segment.rows[keep]].astype(np.uint32))
        counts.append(segment.counts[keep])
        ids.append(segment.ids[live])
        lengths.append(segment.lengths[live])
        base += part.count
    return _segment(
        np.concatenate(ids),
        np.concatenate(lengths),
        np.concatenate(words),
        np.concatenate(rows),
        np.concatenate(counts),
    )


def _packed(wide: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Counts of 21 bits a column as counts of 3, 4 and 9."""
    packed = np.zeros(len(wide), np.int64)
    for unit, highest, one in zip(_UNITS, _MAX_COUNTS, _WIDE.tolist(), strict=True):
        packed += unit * np.minimum(wide // one & 0x1FFFFF, highest)
    return packed.astype(np.uint16)


def _segment(
    ids: Ids,
    lengths: NDArray[np.int64],
    words: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    counts: NDArray[np.uint16],
) -> Segment:
    """A segment of postings in any order of words."""
    order = np.argsort(words, kind="stable")
    distinct, starts = np.unique(words[order], return_index=True)
    return Segment(ids, lengths, distinct, np.append(starts, len(words)).astype(np.int64), rows[order], counts[order])


_EMPTY = Segment(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.uint64),
    np.zeros(1, np.int64),
    np.empty(0, np.uint32),
    np.empty(0, np.uint16),
)


@lru_cache(maxsize=8)
def weighted_counts(weights: tuple[float, float, float]) -> NDArray[np.float64]:
    """The weighted sum for each packed count."""
    packed = np.arange(1 << 16)
    symbol, path, body = packed >> 13, (packed >> 9) & 15, packed & 511
    return np.asarray(weights[0] * symbol + weights[1] * path + weights[2] * body, dtype=np.float64)


class _Numbers(dict[str, int]):
    """64 bits for each word, the same in every process. A dict that fills itself, for loops that run in C."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _MEMO_WORDS:
            self.clear()
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = self[word] = int.from_bytes(digest, "little")
        return number


number_of = _Numbers().__getitem__
