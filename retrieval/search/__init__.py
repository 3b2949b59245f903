"""From a question to ranked hits: query -> candidates (vectors, words, names) -> ranking -> merging -> hits.

Search reads the index and never files; the lines of a hit come from the chunks themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from retrieval.chunking import lines_of
from retrieval.search.candidates import gather, last_part, nearest
from retrieval.search.definitions import named_line
from retrieval.search.highlighting import salient_lines
from retrieval.search.merging import Span, merge
from retrieval.search.query import Query, parse
from retrieval.search.ranking import Ranked, in_order, rank
from retrieval.search.snapshot import Rows, Snapshot
from retrieval.search.weights import DEFAULT, RANKINGS, Weights
from retrieval.types import Chunk, Filters, Hit

__all__ = ["DEFAULT", "NO_FILTERS", "RANKINGS", "Query", "Rows", "Snapshot", "Weights", "parse", "search", "similar"]

# Merging shortens the list: this many times k are ranked so that k remain.
SPARE = 2
SALIENT = 3
NO_FILTERS = Filters()


def go_on() -> None:
    """What is called between the stages of a query; one that raises ends it."""


def search(
    snapshot: Snapshot,
    text: str,
    k: int = 10,
    filters: Filters = NO_FILTERS,
    weights: Weights = DEFAULT,
    check: Callable[[], None] = go_on,
) -> tuple[Hit, ...]:
    """The k best hits for a question in words or a name. Raises QueryError for an empty one, and what `check` raises."""
    query = parse(text)
    vector = None
    if snapshot.encoder is not None and snapshot.index is not None and len(snapshot.index):
        vector = snapshot.encoder.encode_queries([query.text])[0]
    check()
    candidates = gather(snapshot, query, vector, filters, weights)
    check()
    idf = inverse_frequencies(snapshot, query.terms)
    headers = snapshot.rows.headers(candidates.ids.tolist())
    ranked = rank(candidates, headers, query, idf, weights, k * SPARE)
    check()
    return _hits(snapshot, merge(ranked)[:k], idf, last_part(query.names[0]) if query.is_name else "")


def similar(
    snapshot: Snapshot,
    passage: str,
    k: int = 10,
    filters: Filters = NO_FILTERS,
    leave_out: Sequence[int] = (),
) -> tuple[Hit, ...]:
    """The k chunks most like a piece of code, by meaning alone; `leave_out` are rows of the piece itself."""
    if snapshot.encoder is None or snapshot.index is None:
        return ()
    vector = snapshot.encoder.encode_passages([passage])[0]
    allowed = snapshot.rows.allowed(filters) if filters else None
    near = nearest(snapshot, vector, k * SPARE + len(leave_out), allowed)
    rows = [row for row in near if row not in leave_out]
    headers = snapshot.rows.headers(rows)
    ranked = [Ranked(row, headers[row]) for row in rows if row in headers]
    for candidate in ranked:
        candidate.add("meaning", near[candidate.id], near[candidate.id])
    ranked.sort(key=in_order)
    return _hits(snapshot, merge(ranked)[:k], {})


def inverse_frequencies(snapshot: Snapshot, terms: Sequence[str]) -> dict[str, float]:
    """The inverse document frequency of each term, that of BM25; a term that is nowhere counts as the rarest."""
    total, found = snapshot.rows.chunk_count(), snapshot.rows.document_frequencies(terms)
    # Where the lexicon is not at hand, rows that buffers hide are counted as well: there may be more of them than chunks.
    return {t: math.log(1 + (max(total, n) - n + 0.5) / (n + 0.5)) for t in terms for n in (found.get(t, 0),)}


def _hits(snapshot: Snapshot, spans: Sequence[Span], wanted: dict[str, float], name: str = "") -> tuple[Hit, ...]:
    """`name` is what was asked for, where that is a name: the lines of a hit begin where it is defined."""
    whole = snapshot.rows.chunks([span.best.id for span in spans])
    return tuple(_hit(snapshot, span, whole[span.best.id], wanted, name) for span in spans if span.best.id in whole)


def _hit(snapshot: Snapshot, span: Span, chunk: Chunk, wanted: dict[str, float], name: str) -> Hit:
    text = chunk.text
    if (span.start_line, span.end_line) != (chunk.start_line, chunk.end_line):
        text = _lines(snapshot, chunk.path, span)
    start = named_line(replace(chunk, text=text, start_line=span.start_line), name) if name else None
    return Hit(
        chunk=chunk,
        start_line=span.start_line,
        end_line=span.end_line,
        text=text,
        score=span.best.score,
        signals=span.best.signals,
        salient_lines=salient_lines(text, span.start_line, wanted, SALIENT, start),
    )


def _lines(snapshot: Snapshot, path: str, span: Span) -> str:
    """The lines of a merged hit, put together from the file's chunks; lines between chunks are blank."""
    lines = [""] * (span.end_line - span.start_line + 1)
    for _, chunk in snapshot.rows.file_chunks(path):
        for n, line in enumerate(lines_of(chunk.text), chunk.start_line - span.start_line):
            if 0 <= n < len(lines):
                lines[n] = line
    return "\n".join(lines)
