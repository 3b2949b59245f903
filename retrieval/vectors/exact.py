"""Every row compared with the query: the oracle, the fallback, and the right thing below some ten thousand rows.

Readers take no lock. The rows in use are one immutable pair (ids, matrix): adding writes behind the rows that readers
look at and then publishes a longer pair, removing publishes a copy of the ids with the removed ones replaced by -1. The
matrix is copied only when it grows, or when a quarter of it is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.vectors.protocol import Ids, Matrix, fresh_rows, nothing, top_k

# Room grows by this factor, so that adding rows batch by batch copies each row a few times at most.
_GROWTH = 1.5
_REMOVED = -1  # the id of a removed row
_REMOVED_SHARE = 0.25
# Half-precision rows are widened this many at a time: 4 MB of 256 dimensions stay in the CPU's cache.
_BLOCK = 4_096

Rows = NDArray[Any]


class ExactIndex:
    """Brute force over one matrix: 1 ms for 20,000 rows of 256. `half` keeps the rows in 16 bits: half the memory,
    slower.
    """

    def __init__(self, dimension: int, *, half: bool = False) -> None:
        self.dimension = dimension
        self._type = np.dtype(np.float16 if half else np.float32)
        self._lock = threading.Lock()
        self._published: tuple[Ids, Rows] = (np.empty(0, np.int64), np.empty((0, dimension), self._type))
        self._room: tuple[Ids, Rows] = self._published
        self._count = 0  # rows that are not removed
        self._live: tuple[Ids, Ids] | None = None  # published ids, those that are not removed, ascending
        self._sorted: tuple[Ids, Ids, Ids] | None = None  # published ids, their order, they in that order

    @classmethod
    def of(cls, ids: Ids, rows: Rows) -> ExactIndex:
        """An index of these rows as they are, not copied; each id once."""
        index = cls(rows.shape[1], half=rows.dtype == np.float16)
        index._published = index._room = (ids, rows)
        index._count = len(ids)
        return index

    def pinned(self) -> ExactIndex:
        """The index as it is now, for reading only: it shares the rows, and never changes."""
        with self._lock:
            index = ExactIndex.of(*self._published)
            index._count = self._count
            return index

    def search(self, query: Matrix, limit: int, allowed: Ids | None = None) -> tuple[Ids, Matrix]:
        ids, matrix = self._published
        query = np.asarray(query, dtype=np.float32)
        if not len(ids) or limit <= 0:
            return nothing()
        rows = np.flatnonzero(ids != _REMOVED) if allowed is None else np.flatnonzero(np.isin(ids, allowed))
        # Picking rows copies them: worth it only where they are few, or where the others would be widened for nothing.
        if len(rows) * (4 if matrix.dtype == np.float32 else 1) < len(ids):
            return top_k(ids[rows], _dot(matrix[rows], query), limit)
        scores = _dot(matrix, query)
        return top_k(ids, scores, limit) if len(rows) == len(ids) else top_k(ids[rows], scores[rows], limit)

    def cosines(self, query: Matrix, ids: Ids) -> Matrix:
        """In 64 bits: what a matrix product rounds depends on where a row stands in the matrix."""
        known, matrix = self._published
        out = np.full(len(ids), np.nan, dtype=np.float32)
        at, found = self._positions(known, np.asarray(ids, dtype=np.int64))
        out[found] = matrix[at[found]].astype(np.float64) @ np.asarray(query, dtype=np.float64)
        return out

    def add(self, ids: Ids, matrix: Matrix) -> None:
        with self._lock:
            known, rows = self._published
            new, vectors = fresh_rows(ids, matrix, known)
            if not len(new):
                return
            count, total = len(known), len(known) + len(new)
            room_ids, room = self._room
            if total > len(room_ids):
                size = int(total * _GROWTH) if count else total
                room_ids, room = np.empty(size, np.int64), np.empty((size, self.dimension), self._type)
                room[:count] = rows
            else:
                room_ids = room_ids.copy()  # readers may look at ids that are marked as removed in `known`
            room_ids[:count] = known
            room_ids[count:total], room[count:total] = new, vectors
            self._room = (room_ids, room)
            self._published = (room_ids[:total], room[:total])
            self._count += len(new)

    def remove(self, ids: Ids) -> None:
        with self._lock:
            known, rows = self._published
            hit = np.isin(known, ids) & (known != _REMOVED)
            if not hit.any():
                return
            self._count -= int(hit.sum())
            left = np.where(hit, _REMOVED, known)
            if len(left) - self._count > _REMOVED_SHARE * len(left):
                stay = left != _REMOVED
                left, rows = left[stay], rows[stay]
                self._room = (left, rows)
            self._published = (left, rows)

    def __len__(self) -> int:
        return self._count

    def ids(self) -> Ids:
        ids = self._published[0]
        known = self._live
        if known is None or known[0] is not ids:
            known = self._live = (ids, np.sort(ids[ids != _REMOVED]))
            known[1].setflags(write=False)
        return known[1]

    def frozen(self) -> tuple[Ids, Callable[[int, int], Matrix]]:
        """The ids of this moment, ascending, and how to get the rows of a range of them, whatever is removed
        meanwhile.
        """
        ids, matrix = self._published
        live = np.flatnonzero(ids != _REMOVED)
        order = live[np.argsort(ids[live], kind="stable")]
        return ids[order], lambda start, end: matrix[order[start:end]].astype(np.float32)

    def rows(self, ids: Ids) -> Matrix:
        """The rows of these ids, which must all be there, in their order."""
        known, matrix = self._published
        at, _ = self._positions(known, ids)
        return matrix[at].astype(np.float32)

    def _positions(self, known: Ids, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """Where each id stands in `known`, and which of them stand there at all."""
        if not len(known):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), np.bool_)
        cached = self._sorted
        if cached is None or cached[0] is not known:
            order = np.argsort(known, kind="stable")
            cached = self._sorted = (known, order, known[order])
        at = np.minimum(np.searchsorted(cached[2], ids), len(known) - 1)
        return cached[1][at], np.asarray(cached[2][at] == ids)


def _dot(matrix: Rows, query: Matrix) -> Matrix:
    if matrix.dtype == np.float32:
        return np.asarray(matrix @ query, dtype=np.float32)
    scores = np.empty(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), _BLOCK):
        scores[start : start + _BLOCK] = matrix[start : start + _BLOCK].astype(np.float32) @ query
    return scores
