"""From a query to ranked hits: query -> candidates (dense, lexical, symbols) -> ranking -> merging -> hits.

Search reads the index and never files; the lines of a hit come from the chunks themselves.
"""

from __future__ import annotations

from retrieval.search.highlighting import SALIENT, LineVectors
from retrieval.search.matches import matches
from retrieval.search.pipeline import SearchResult, search, similar
from retrieval.search.query import Query, parse
from retrieval.search.snapshot import Rows, Snapshot
from retrieval.search.statistics import inverse_frequencies
from retrieval.search.weights import DEFAULT, RANKINGS, SIGNALS, Weights, ranking_named, without_signal

__all__ = [
    "DEFAULT",
    "RANKINGS",
    "SALIENT",
    "SIGNALS",
    "LineVectors",
    "Query",
    "Rows",
    "SearchResult",
    "Snapshot",
    "Weights",
    "inverse_frequencies",
    "matches",
    "parse",
    "ranking_named",
    "search",
    "similar",
    "without_signal",
]
