"""What a query is answered from: one consistent view of the index, and the encoder that made its vectors."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.encoders.base import Encoder
from retrieval.store import Store
from retrieval.vectors import VectorIndex


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`index` and `encoder` belong together; without them search goes by words and names alone."""

    store: Store
    index: VectorIndex | None = None
    encoder: Encoder | None = None
