"""The k best rows. Ties are broken by location (path, then bytes), never by row id: ids depend on when a row was written, and
a rebuilt index of the same text has others. Sort keys are looked up only for ties at the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
SortKey = tuple[str, int, int]  # path, start and end byte
SortKeys = Callable[[Sequence[int]], Mapping[int, SortKey]]

_DELETED: SortKey = ("\U0010ffff", 0, 0)  # deleted since it was scored: last


def top_k(ids: Ids, scores: NDArray[np.floating], limit: int, sort_keys: SortKeys) -> list[tuple[int, float]]:
    """The `limit` best rows with their scores, best first. Ties at the cut are broken by location."""
    order = np.lexsort((ids, -scores))
    ids, scores = ids[order], scores[order]
    if 0 < limit < len(ids) and scores[limit] == scores[limit - 1]:
        above = int(np.searchsorted(-scores, -scores[limit - 1], side="left"))
        tied = ids[above : int(np.searchsorted(-scores, -scores[limit - 1], side="right"))].tolist()
        keys = sort_keys(tied)
        tied.sort(key=lambda row: keys.get(row, _DELETED))
        ids = np.concatenate([ids[:above], np.array(tied[: limit - above], dtype=np.int64)])
    return list(zip(ids[:limit].tolist(), scores[:limit].tolist(), strict=True))
