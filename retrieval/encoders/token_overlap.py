"""A deterministic encoder for tests: texts that share words have similar vectors.

Random vectors cannot feel relevance; this one can, costs microseconds and needs no model file. Each word (identifiers also
count by their parts) is hashed to one signed coordinate and weighted by 1 + log(count), so cosine is roughly the overlap.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from retrieval.encoders.protocol import Vectors

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=65536)
def _slot(word: str, dimension: int) -> tuple[int, float]:
    """Coordinate and sign of a word; blake2b because `hash()` differs from process to process."""
    number = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (number >> 1) % dimension, 1.0 if number & 1 else -1.0


class OverlapEncoder:
    """Cosine of two texts is about the share of words that they have in common."""

    def __init__(self, dimension: int = 256) -> None:
        self._dimension = dimension

    @property
    def name(self) -> str:
        return "overlap"

    @property
    def fingerprint(self) -> str:
        return f"overlap-1-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word, count in Counter(part.lower() for part in _PARTS.findall(text)).items():
                column, sign = _slot(word, self._dimension)
                vectors[row, column] += sign * (1.0 + np.log(count))
            if not vectors[row].any():
                vectors[row, 0] = 1.0  # a text without words still needs a direction
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = (vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32)
        return unit
