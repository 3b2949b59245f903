"""How rare the words of a query are in the index."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.search.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """Chunks of the index and, for each term of a query, how many of them hold it and how much that makes it worth."""

    chunks: int
    frequencies: Mapping[str, int]
    idf: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, terms: Sequence[str]) -> TermStatistics:
        """Inverse document frequencies are those of BM25; a term that is nowhere counts as the rarest."""
        total, frequencies = snapshot.rows.chunk_count(), snapshot.rows.document_frequencies(terms)
        # While the BM25 index is not in memory, rows hidden by buffers are counted as well: there may be more of them than chunks.
        idf = {t: math.log(1 + (max(total, n) - n + 0.5) / (n + 0.5)) for t in terms for n in (frequencies.get(t, 0),)}
        return cls(total, frequencies, idf)


def inverse_frequencies(snapshot: Snapshot, terms: Sequence[str]) -> dict[str, float]:
    """The inverse document frequency of each term."""
    return TermStatistics.of(snapshot, terms).idf
