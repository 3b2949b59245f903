"""What a query is answered from: one consistent view of the index, and the encoder that made its vectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders.protocol import Encoder
from retrieval.store import ChunkText, Header
from retrieval.store.top_k import SortKey
from retrieval.types import LAST_LINE, Chunk, Filters
from retrieval.vectors import Searchable

Ids = NDArray[np.int64]


class Rows(Protocol):
    """What search reads from a store, or from one overlaid with unsaved buffers. Terms are stems (`split_identifiers`)."""

    def chunk_count(self) -> int: ...

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]: ...

    def lexical(
        self, terms: Sequence[str], limit: int, weights: tuple[float, float, float], allowed: Ids | None = None
    ) -> list[tuple[int, float]]: ...

    def phrase(self, words: Sequence[str], limit: int) -> Ids: ...

    def holding(self, terms: Sequence[str], ids: Ids) -> NDArray[np.bool_]: ...

    def chunks(self, ids: Sequence[int]) -> dict[int, Chunk]: ...

    def texts(self, ids: Sequence[int]) -> dict[int, ChunkText]: ...

    def headers(self, ids: Sequence[int]) -> dict[int, Header]: ...

    def by_symbol(self, names: Sequence[str]) -> list[tuple[int, str]]: ...

    def allowed(self, filters: Filters) -> Ids | None: ...

    def chunks_of_files(self, paths: Collection[str]) -> Mapping[str, int]: ...

    def file_chunks(self, path: str, first_line: int = 1, last_line: int = LAST_LINE) -> list[tuple[int, Chunk]]:
        """The chunks of a file that have one of these lines, in line order."""

    def texts_between(self, path: str, first_line: int, last_line: int) -> list[ChunkText]: ...

    def sort_keys(self, ids: Sequence[int]) -> Mapping[int, SortKey]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`index` and `encoder` belong together; without them search uses BM25 and symbols alone."""

    rows: Rows
    index: Searchable | None = None
    encoder: Encoder | None = None
