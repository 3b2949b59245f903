"""Groups of similar vectors, by spherical k-means, and the terms that tell one group from the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 25
MOST = 24  # clusters: more cannot be told apart by color and name
TERMS = 3  # of a name
LEAST_SHARE = 0.2  # of a cluster's files that have a term which names it
LEAST_LETTERS = 3


def cluster(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each normalized vector (n, d); the largest group is 0. The same vectors give the same groups."""
    count = len(vectors)
    wanted = min(MOST, max(1, round(math.sqrt(count / 2))))
    centers = vectors[_spread(vectors, wanted)]
    groups = np.zeros(count, dtype=np.int64)
    for turn in range(ROUNDS):
        nearest = np.asarray((vectors @ centers.T).argmax(axis=1), dtype=np.int64)
        if turn and np.array_equal(nearest, groups):
            break
        groups = nearest
        sums = np.zeros_like(centers)
        np.add.at(sums, groups, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centers = np.where(lengths > 0, sums / lengths.clip(1e-9), centers)
    sizes = np.bincount(groups, minlength=wanted)
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return np.asarray(rank[groups], dtype=np.int64)


def _spread(vectors: NDArray[np.float32], wanted: int) -> list[int]:
    """Vectors far from each other, the one nearest to the middle first."""
    chosen = [int((vectors @ vectors.mean(axis=0)).argmax())]
    closest = vectors @ vectors[chosen[0]]
    while len(chosen) < wanted:
        chosen.append(int(closest.argmin()))
        closest = np.maximum(closest, vectors @ vectors[chosen[-1]])
    return chosen


def name_clusters(words: Sequence[frozenset[str]], groups: NDArray[np.int64]) -> list[tuple[str, ...]]:
    """The terms of each group: in many of its files, and in few others. `words` are those of each file."""
    total = Counter(word for one in words for word in one)
    names: list[tuple[str, ...]] = []
    for group in range(int(groups.max()) + 1 if len(groups) else 0):
        members = [words[i] for i in np.flatnonzero(groups == group).tolist()]
        inside = Counter(word for one in members for word in one)
        scores = {
            word: n / len(members) * math.log((1 + len(words)) / total[word])
            for word, n in inside.items()
            if len(word) >= LEAST_LETTERS and n >= LEAST_SHARE * len(members)
        }
        ranked = sorted(scores, key=lambda word: (-scores[word], word))
        names.append(tuple(_distinct(ranked)[:TERMS]))
    return names


def _distinct(words: Sequence[str]) -> list[str]:
    """Without words that another one begins with, or that begin with another one."""
    kept: list[str] = []
    for word in words:
        if not any(word.startswith(other) or other.startswith(word) for other in kept):
            kept.append(word)
    return kept
