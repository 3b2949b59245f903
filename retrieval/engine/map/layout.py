"""Places vectors in the plane so that neighbors stay neighbors: t-SNE (van der Maaten and Hinton, 2008), exact, in NumPy.

Its cost is quadratic. Of many vectors some are placed so, evenly chosen, and the others go where their nearest ones are. The
same vectors give the same places: it begins with their principal components.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]  # (n, 2), 0..1

LANDMARKS = 400  # 1.6 s of CPU; twice as many take four times as long
STEPS, EXAGGERATED_STEPS, EXAGGERATION = 250, 80, 8.0
PERPLEXITY = 15.0  # neighbors that count
NEAREST = 3  # landmarks between which the others are placed
_BISECTIONS = 40


def layout(vectors: NDArray[np.float32]) -> Points:
    """The places of normalized vectors (n, d)."""
    count = len(vectors)
    if count <= LANDMARKS:
        return _scaled(_tsne(vectors))
    chosen = np.linspace(0, count - 1, LANDMARKS).astype(np.int64)
    places = _tsne(vectors[chosen])
    cosines = vectors @ vectors[chosen].T
    nearest = np.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]
    weights = np.take_along_axis(cosines, nearest, axis=1).clip(1e-3) ** 8  # the nearest counts most
    others = (places[nearest] * (weights / weights.sum(axis=1, keepdims=True))[:, :, None]).sum(axis=1)
    others[chosen] = places
    return _scaled(others)


def _tsne(vectors: NDArray[np.float32]) -> Points:
    count = len(vectors)
    if count < 2:
        return np.zeros((count, 2), dtype=np.float32)
    centered = vectors - vectors.mean(axis=0)
    if count < 5:
        return _components(centered)
    shares = _neighbor_shares(vectors)
    places = _components(centered)
    places = (places / max(float(places.std()), 1e-9) * 1e-2).astype(np.float32)
    velocity, gains = np.zeros_like(places), np.ones_like(places)
    rate = max(count / EXAGGERATION, 20.0)
    for step in range(STEPS):
        early = step < EXAGGERATED_STEPS
        squares = (places**2).sum(axis=1)
        affinity = 1.0 / (1.0 + squares[:, None] + squares[None, :] - 2.0 * places @ places.T)
        np.fill_diagonal(affinity, 0.0)
        forces = ((EXAGGERATION if early else 1.0) * shares - affinity / affinity.sum()) * affinity
        gradient = 4.0 * (forces.sum(axis=1)[:, None] * places - forces @ places)
        gains = np.where(np.sign(gradient) != np.sign(velocity), gains + 0.2, gains * 0.8).clip(0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * gradient
        places = places + velocity
        places -= places.mean(axis=0)
    return places.astype(np.float32)


def _neighbor_shares(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each pair counts, symmetric; the width of each point's neighborhood is found by bisection."""
    count = len(vectors)
    distances = (2.0 - 2.0 * vectors @ vectors.T).clip(0.0).astype(np.float64)
    target = np.log(min(PERPLEXITY, (count - 1) / 3))
    low, high, beta = np.zeros(count), np.full(count, np.inf), np.ones(count)
    for _ in range(_BISECTIONS):
        weights = np.exp(-(distances - distances.min(axis=1, keepdims=True)) * beta[:, None])
        np.fill_diagonal(weights, 0.0)
        shares = weights / weights.sum(axis=1, keepdims=True).clip(1e-12)
        entropy = -(shares * np.log(shares.clip(1e-12))).sum(axis=1)
        wide = entropy > target
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), beta * 2.0, (low + high) / 2.0)
    shares = (shares + shares.T) / (2.0 * count)
    kept: NDArray[np.float32] = shares.clip(1e-12).astype(np.float32)
    return kept


def _components(centered: NDArray[np.float32]) -> Points:
    """The first two principal components, with signs that do not depend on the library."""
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    axes = directions[:2]
    axes = axes * np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    places = centered @ axes.T
    padded: Points = np.pad(places, ((0, 0), (0, 2 - places.shape[1]))).astype(np.float32)
    return padded


def _scaled(places: Points) -> Points:
    """Into the unit square, without changing its proportions."""
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    span = max(float((high - low).max()), 1e-9)
    scaled: Points = ((places - (low + high) / 2.0) / span + 0.5).astype(np.float32)
    return scaled
