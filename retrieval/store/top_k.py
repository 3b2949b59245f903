"""Equal scores go by place (path, then bytes), never by row id: ids tell when a row was written, and an index made anew
from the same text has others. Places are looked up only where equals stand at the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Place = tuple[str, int, int]  # path, start and end byte
Places = Callable[[Sequence[int]], Mapping[int, Place]]

_GONE: Place = ("\U0010ffff", 0, 0)  # deleted since it was found: behind all others


def first(ids: Ids, scores: NDArray[np.floating], limit: int, places: Places) -> list[tuple[int, float]]:
    """The `limit` best rows with their scores, best first. Equals at the cut are chosen by place."""
    order = np.lexsort((ids, -scores))
    ids, scores = ids[order], scores[order]
    if 0 < limit < len(ids) and scores[limit] == scores[limit - 1]:
        sure = int(np.searchsorted(-scores, -scores[limit - 1], side="left"))
        equal = ids[sure : int(np.searchsorted(-scores, -scores[limit - 1], side="right"))].tolist()
        where = places(equal)
        equal.sort(key=lambda row: where.get(row, _GONE))
        ids = np.concatenate([ids[:sure], np.array(equal[: limit - sure], dtype=np.int64)])
    return list(zip(ids[:limit].tolist(), scores[:limit].tolist(), strict=True))
