"""Hard-negative mining: passages that the current model ranks high, without likely false negatives.

A passage is left out if it is nearly the positive, if it belongs to a query of the same text, or if it scores nearly as high as
the positive: many passages that rank above a positive answer the query too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.training.tasks import Example

Vectors = NDArray[np.float32]
MAX_SCORE_RATIO = 0.95  # of the positive's score: higher scores may be false negatives
DUPLICATE_COSINE = 0.97  # cosine of near-duplicate passages
CANDIDATES = 64  # passages ranked highest
_QUERIES_AT_ONCE = 512


def mine_hard_negatives(
    examples: Sequence[Example],
    queries: Vectors,
    passages: Vectors,
    *,
    count: int = 4,
    limit: float = MAX_SCORE_RATIO,
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
    looked = min(CANDIDATES + 1, len(scores))
    best = np.argpartition(-scores, looked - 1)[:looked]
    best = best[np.lexsort((best, -scores[best]))]
    allowed = scores[own] * limit if scores[own] > 0 else scores[own] - (1 - limit)
    example = examples[own]
    texts: list[str] = []
    for other in best:
        rival = examples[int(other)]
        if other == own or scores[other] >= allowed or rival.query.strip() == example.query.strip():
            continue
        if float(passages[other] @ passages[own]) < DUPLICATE_COSINE and rival.positive not in (
            example.positive,
            *texts,
        ):
            texts.append(rival.positive)
        if len(texts) == count:
            break
    return replace(example, negatives=tuple(texts))
