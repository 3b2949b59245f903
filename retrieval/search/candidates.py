"""Which chunks are worth ranking: the nearest vectors, the best BM25 matches, and definitions of a name in the query.

Every candidate then gets both base scores, so that a chunk found by BM25 alone still has its cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from retrieval.search.definitions import definition
from retrieval.search.exact import exact_matches, quoting
from retrieval.search.query import Query
from retrieval.search.snapshot import Snapshot
from retrieval.search.statistics import TermStatistics
from retrieval.search.weights import Weights
from retrieval.store import ChunkText
from retrieval.store.top_k import top_k
from retrieval.types import Filters

# A term in more than this share of all chunks discriminates little and costs BM25 most of its time.
COMMON_SHARE = 0.25
# ... and below this many chunks no term is worth leaving out.
COMMON_FLOOR = 2_000
# Chunks whose text is searched for the definition of a name: 1.1 ms. 20 take 0.7 ms and miss 4 of 1,032 names.
DEFINITION_CANDIDATES = 50
# Cosines that an index returns are off by less than this, depending on the row's position.
COSINE_ERROR = 1e-6
# Rows fetched beyond the limit, to break ties at the cut-off.
TIE_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Candidates:
    """Parallel arrays over the candidates; dense and lexical are scaled to 0..1 within them."""

    ids: NDArray[np.int64]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    coverage: NDArray[np.float32]  # the share of the query that each holds, by the rarity of its terms
    named: Mapping[int, str]  # those that define a name of the query, with the name as written
    similarity: float | None = None  # the cosine of the nearest; None without vectors
    exact: Mapping[int, float] = field(default_factory=dict)  # those that hold what the query says as written: how far
    quoted: int | None = None  # chunks that hold all that the query quotes; None where it quotes nothing


def gather(
    snapshot: Snapshot,
    query: Query,
    vector: NDArray[np.float32] | None,
    statistics: TermStatistics,
    filters: Filters,
    weights: Weights,
) -> Candidates:
    """Collect and score the candidates for a query; `vector` (d,) is its embedding, None to go by words alone. `statistics`
    has every term of the query. What the query quotes is in all of them, unless it is nowhere.
    """
    rows = snapshot.rows
    allowed = rows.allowed(filters) if filters else None
    quoted = quoting(rows, query, allowed)
    allowed = quoted if quoted is not None and len(quoted) else allowed
    cosines = nearest(snapshot, vector, weights.depth, allowed)
    lexical_scores = lexical_matches(snapshot, query.terms, statistics, weights, allowed)
    named, exact = _as_written(snapshot, query, lexical_scores, statistics, allowed) if weights.exact else ({}, {})
    # Of a few chunks that a pattern matches none is left out, whether it has a vector already or not.
    few = allowed.tolist() if filters.grep and allowed is not None and len(allowed) <= weights.depth else ()
    found = cosines.keys() | lexical_scores.keys() | named.keys() | exact.keys() | set(few)
    ids = np.array(sorted(found), dtype=np.int64)
    dense = np.array([cosines.get(i, np.nan) for i in ids.tolist()], dtype=np.float32)
    if vector is not None and snapshot.index is not None and cosines:
        missing = np.isnan(dense)
        dense[missing] = snapshot.index.cosines(vector, ids[missing])
    lexical = np.array([lexical_scores.get(i, 0.0) for i in ids.tolist()], dtype=np.float32)
    return Candidates(
        ids=ids,
        dense=scale(dense, floor=min(cosines.values(), default=0.0)),
        lexical=scale(lexical, floor=0.0),
        coverage=coverage(snapshot, ids, statistics.idf),
        named=named,
        similarity=max(cosines.values(), default=None),
        exact=exact,
        quoted=None if quoted is None else len(quoted),
    )


def _as_written(
    snapshot: Snapshot,
    query: Query,
    lexical_scores: Mapping[int, float],
    statistics: TermStatistics,
    allowed: NDArray[np.int64] | None,
) -> tuple[dict[int, str], dict[int, float]]:
    """The chunks that define a name of the query, and how far chunks hold what it says as it is written."""
    rows = snapshot.rows
    queried = [last_part(name) for name in query.names]
    by_symbol = rows.by_symbol(queried)
    named = dict(by_symbol) | {row: name for row, name in by_symbol if name in queried}
    if allowed is not None:
        within = np.isin(np.array(list(named), dtype=np.int64), allowed).tolist()
        named = dict(compress(named.items(), within))
    if not query.names and not query.phrase:
        return named, {}
    ids, scores = np.array(list(lexical_scores), dtype=np.int64), np.array(list(lexical_scores.values()))
    texts = rows.texts([row for row, _ in top_k(ids, scores, DEFINITION_CANDIDATES, rows.sort_keys)])
    if query.is_name:
        named |= definitions_in_text(last_part(query.names[0]), texts, named)
    return named, exact_matches(rows, query, statistics.frequencies, texts, named, allowed)


def nearest(
    snapshot: Snapshot, vector: NDArray[np.float32] | None, limit: int, allowed: NDArray[np.int64] | None
) -> dict[int, float]:
    """The chunks nearest to a vector, with their cosines. Ties at the cut-off are broken by location, and exact cosines
    decide what is a tie: somewhat more rows than the limit are fetched.
    """
    if vector is None or snapshot.index is None or not len(snapshot.index):
        return {}
    fetch = limit + TIE_MARGIN
    while True:
        ids, approximate = snapshot.index.search(vector, fetch, allowed)
        if len(ids) < fetch or approximate[limit - 1] - approximate[-1] > COSINE_ERROR:
            cosines = snapshot.index.cosines(vector, ids)
            present = ~np.isnan(cosines)  # the others were removed meanwhile
            return dict(top_k(ids[present], cosines[present], limit, snapshot.rows.sort_keys))
        fetch *= 2


def lexical_matches(
    snapshot: Snapshot,
    terms: Sequence[str],
    statistics: TermStatistics,
    weights: Weights,
    allowed: NDArray[np.int64] | None,
) -> dict[int, float]:
    """The best chunks by BM25 over symbol, path and body."""
    selected = select_terms(terms, statistics.frequencies, statistics.chunks)
    return dict(snapshot.rows.lexical(selected, weights.depth, weights.fts, allowed)) if selected else {}


def coverage(snapshot: Snapshot, ids: NDArray[np.int64], idf: Mapping[str, float]) -> NDArray[np.float32]:
    """The share of the query's terms that each chunk holds in symbol, path or body, weighted by idf: 0..1."""
    rarity = np.array(list(idf.values()), dtype=np.float32)
    held: NDArray[np.float32] = snapshot.rows.holding(list(idf), ids).astype(np.float32) @ rarity
    return held / max(float(rarity.sum()), 1e-9)


def definitions_in_text(name: str, texts: Mapping[int, ChunkText], by_symbol: Mapping[int, str]) -> dict[int, str]:
    """Those of some chunks whose text defines a name that is not, or in another case, their symbol."""
    others = {row: text for row, text in texts.items() if by_symbol.get(row) != name}
    definitions = {row: at[1] for row, text in others.items() if (at := definition(text, name)) is not None}
    return {row: written for row, written in definitions.items() if row not in by_symbol or written == name}


def select_terms(terms: Sequence[str], frequencies: Mapping[str, int], total: int) -> list[str]:
    """The terms worth searching for: those that occur, without the very common ones where something rarer is left."""
    present = [term for term in terms if frequencies.get(term, 0) > 0]
    rare = [term for term in present if frequencies[term] <= max(total * COMMON_SHARE, COMMON_FLOOR)]
    return rare or present


def scale(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Values mapped so that `floor` and less (or unknown) is 0 and the best is 1."""
    if not len(values) or np.all(np.isnan(values)):
        return np.zeros_like(values)
    best = float(np.nanmax(values))
    if best <= floor:
        return np.where(np.isnan(values), 0.0, 1.0).astype(np.float32)
    scaled: NDArray[np.float32] = (np.nan_to_num(values, nan=floor) - floor) / (best - floor)
    return scaled.clip(0.0, 1.0)


def last_part(name: str) -> str:
    """The last part of a qualified name: Session.send -> send."""
    for mark in ("::", "->", "#"):
        name = name.replace(mark, ".")
    return name.rsplit(".", 1)[-1]
