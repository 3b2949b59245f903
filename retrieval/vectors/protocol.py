"""What an index of vectors is to the rest of the engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Matrix = NDArray[np.float32]


class Searchable(Protocol):
    """Nearest rows by cosine: at most `limit` ids with their cosines, best first; `allowed` (sorted) limits it to these."""

    def search(self, query: Matrix, limit: int, allowed: Ids | None = None) -> tuple[Ids, Matrix]: ...

    def cosines(self, query: Matrix, ids: Ids) -> Matrix:
        """The cosine of each of these rows, NaN for those that are not there. Rows that are the same have the very same
        cosine, wherever they stand: `search` may be off by some 1e-7.
        """
        ...

    def __len__(self) -> int: ...


class VectorIndex(Searchable, Protocol):
    """Rows that can be searched and changed. They are L2-normalised. Every method may be called from any thread.

    `add` leaves ids that are there already alone; `remove` leaves unknown ids alone.
    """

    def add(self, ids: Ids, matrix: Matrix) -> None: ...

    def remove(self, ids: Ids) -> None: ...

    def ids(self) -> Ids:
        """Ascending."""
        ...


def nothing() -> tuple[Ids, Matrix]:
    """An empty answer."""
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)


def top_k(ids: Ids, scores: Matrix, limit: int) -> tuple[Ids, Matrix]:
    """The highest scores, best first, ties by id."""
    if limit <= 0 or not len(ids):
        return nothing()
    if limit < len(ids):
        cut = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        keep = np.flatnonzero(scores >= cut)  # more than the limit if several tie with the last one
        ids, scores = ids[keep], scores[keep]
    order = np.lexsort((ids, -scores))[:limit]
    return ids[order], scores[order]


def fresh_rows(ids: Ids, matrix: Matrix, known: Ids) -> tuple[Ids, Matrix]:
    """The rows whose id is not known yet, each id once."""
    ids = np.asarray(ids, dtype=np.int64)
    ids, first = np.unique(ids, return_index=True)
    new = ~np.isin(ids, known, assume_unique=True)
    return ids[new], np.asarray(matrix, dtype=np.float32)[first[new]]
