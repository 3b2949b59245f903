"""Hard negatives: the passages that the current model takes for answers, without those that may well be.

A passage is left out where it reads like the positive, where it belongs to a query of the same text, or where it scores nearly
as high as the positive does: a good part of what ranks above a positive answers the query too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.training.tasks import Example

Vectors = NDArray[np.float32]
LIKE_THE_POSITIVE = 0.95  # of its score: what scores higher may be right
NEAR_COPY = 0.97  # cosine of two passages that say the same
LOOKED_AT = 64  # of the highest ranks
_QUERIES_AT_ONCE = 512


def mined(
    examples: Sequence[Example],
    queries: Vectors,
    passages: Vectors,
    *,
    count: int = 4,
    limit: float = LIKE_THE_POSITIVE,
) -> list[Example]:
    """The examples with up to `count` negatives each, out of all their positives. Row i of the vectors is example i."""
    found = []
    for start in range(0, len(examples), _QUERIES_AT_ONCE):
        scores = queries[start : start + _QUERIES_AT_ONCE] @ passages.T
        for place, row in enumerate(scores):
            found.append(_with_negatives(examples, start + place, row, passages, count, limit))
    return found


def _with_negatives(
    examples: Sequence[Example], own: int, scores: Vectors, passages: Vectors, count: int, limit: float
) -> Example:
    looked = min(LOOKED_AT + 1, len(scores))
    best = np.argpartition(-scores, looked - 1)[:looked]
    best = best[np.lexsort((best, -scores[best]))]
    allowed = scores[own] * limit if scores[own] > 0 else scores[own] - (1 - limit)
    example = examples[own]
    texts: list[str] = []
    for other in best:
        rival = examples[int(other)]
        if other == own or scores[other] >= allowed or rival.query.strip() == example.query.strip():
            continue
        if float(passages[other] @ passages[own]) < NEAR_COPY and rival.positive not in (example.positive, *texts):
            texts.append(rival.positive)
        if len(texts) == count:
            break
    return replace(example, negatives=tuple(texts))
