"""The stages of a search, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.chunking import lines_with_breaks
from retrieval.encoders import Vectors, is_low_latency
from retrieval.errors import EncoderError, QueryError
from retrieval.search.candidates import Candidates, gather, last_part, nearest
from retrieval.search.confidence import is_certain
from retrieval.search.copies import fold_copies, places
from retrieval.search.definitions import definition_line
from retrieval.search.highlighting import SALIENT, LineVectors, highlight_by_meaning, salient_lines
from retrieval.search.hit_symbols import about, best_symbol, is_line_by_line, named_symbols, own_lines
from retrieval.search.merging import Span, merge
from retrieval.search.notes import notes_on
from retrieval.search.query import Query, parse
from retrieval.search.ranking import Scores, location_key, rank
from retrieval.search.snapshot import Snapshot
from retrieval.search.statistics import TermStatistics
from retrieval.search.weights import ranking_named
from retrieval.text_pattern import TextPattern
from retrieval.types import NO_FILTERS, NOTHING_CERTAIN, Chunk, Filters, Hit, SearchRequest

# Merging shortens the list: this many times the limit are ranked so that enough hits remain.
OVERFETCH = 2
# ... and at least so many: which neighbors a hit absorbs must not depend on the limit.
MIN_RANKED = 80
# Added to the likeness of code in the file that one comes from: who asks knows that file. It moves what is nearly as like.
SAME_FILE = -0.05

# Where copies take the places of other candidates, so many times as many are looked at, up to these many of each kind.
DEEPER, MAX_DEPTH = 4, 1_600


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Best first, and what the reader should know about it."""

    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()


def no_check() -> None:
    """The default `check`, called between the stages of a query: never cancels."""


def search(
    snapshot: Snapshot,
    request: SearchRequest,
    *,
    check: Callable[[], None] = no_check,
    line_vectors: LineVectors | None = None,
) -> SearchResult:
    """The best hits for a normalized request. Raises QueryError for an empty query, and what `check` raises.

    With `line_vectors`, those of single lines, salient lines are chosen by meaning where the request asks for it.
    """
    query = parse(request.query)
    ranking = ranking_named(request.ranking)
    if ranking is None:
        raise QueryError(f"There is no ranking '{request.ranking}'.")
    weights = ranking.weights(query)
    vector = None
    if snapshot.encoder is not None and snapshot.index is not None and len(snapshot.index):
        vector = snapshot.encoder.encode_queries([query.text])[0]
    check()
    statistics = TermStatistics.of(snapshot, query.terms)
    wanted = max(request.limit * OVERFETCH, MIN_RANKED)
    while True:
        candidates = gather(snapshot, query, vector, statistics, request.filters, weights)
        check()
        headers = snapshot.rows.headers(candidates.ids.tolist())
        sizes = snapshot.rows.chunks_of_files({header.path for header in headers.values()})
        ranked = rank(candidates, headers, query, statistics.idf, weights, sizes)
        check()
        distinct = fold_copies(ranked, snapshot.rows.texts)
        if len(distinct) >= MIN_RANKED or len(distinct) == len(ranked) or weights.depth >= MAX_DEPTH:
            break
        weights = replace(weights, depth=DEEPER * weights.depth)  # copies have taken the places of other candidates
    name = last_part(query.names[0]) if query.is_name else ""
    hits = _hits(snapshot, merge(distinct[:wanted])[: request.limit], statistics.idf, name, request.filters)
    if request.highlight and line_vectors is not None and vector is not None:
        hits = _highlighted(hits, snapshot, line_vectors, vector, statistics.idf)
    if request.filters.grep:
        hits = _with_matching_lines(hits, TextPattern(request.filters.grep))
    return SearchResult(hits, _notes(request, query, statistics, candidates))


def similar(
    snapshot: Snapshot,
    passage: str,
    limit: int = 10,
    filters: Filters = NO_FILTERS,
    exclude: Sequence[int] = (),
    path: str = "",
) -> tuple[Hit, ...]:
    """The chunks most like a piece of code, by meaning; `exclude` are rows of the piece itself, `path` is its file."""
    if snapshot.encoder is None or snapshot.index is None:
        return ()
    vector = snapshot.encoder.encode_passages([passage])[0]
    allowed = snapshot.rows.allowed(filters) if filters else None
    wanted = max(limit * OVERFETCH, MIN_RANKED)
    cosines = nearest(snapshot, vector, wanted + len(exclude), allowed)
    headers = snapshot.rows.headers([row for row in cosines if row not in exclude])
    headers = dict(sorted(headers.items(), key=lambda item: location_key(item[1])))
    scores = Scores(list(headers), list(headers.values()))
    values = np.array([cosines[row] for row in headers], dtype=np.float64)
    scores.add("meaning", values, values)
    beside = np.array([float(header.path == path) for header in headers.values()])
    scores.add("same file", beside, SAME_FILE * beside)
    return _hits(
        snapshot, merge(fold_copies(scores.ranked()[:wanted], snapshot.rows.texts))[:limit], {}, filters=filters
    )


def _notes(request: SearchRequest, query: Query, statistics: TermStatistics, candidates: Candidates) -> tuple[str, ...]:
    """What is said of an answer; nothing where a pattern tells what is meant."""
    if request.filters.grep:
        return ()
    if candidates.quoted is None and not is_certain(candidates):
        return (NOTHING_CERTAIN,)
    return notes_on(query, statistics, candidates.quoted)


def _highlighted(
    hits: tuple[Hit, ...], snapshot: Snapshot, line_vectors: LineVectors, vector: Vectors, idf: dict[str, float]
) -> tuple[Hit, ...]:
    """The hits with salient lines chosen by meaning too; as they are where the encoder is slow or fails."""
    encoder = snapshot.encoder
    if encoder is None or not is_low_latency(encoder):
        return hits
    try:
        return highlight_by_meaning(hits, vector, encoder, line_vectors, idf, SALIENT)
    except EncoderError:
        return hits


def _with_matching_lines(hits: tuple[Hit, ...], pattern: TextPattern) -> tuple[Hit, ...]:
    """The hits with the lines that match as their salient ones."""
    lines = [tuple(hit.start_line + line for line in pattern.lines(hit.text)[:SALIENT]) for hit in hits]
    return tuple(
        replace(hit, salient_lines=matching) if matching else hit for hit, matching in zip(hits, lines, strict=True)
    )


def _hits(
    snapshot: Snapshot, spans: Sequence[Span], idf: dict[str, float], name: str = "", filters: Filters = NO_FILTERS
) -> tuple[Hit, ...]:
    """`name` is the query, where that is a name: the lines of a hit begin where it is defined."""
    chunks = snapshot.rows.chunks([span.best.id for span in spans])
    there = [span for span in spans if span.best.id in chunks]
    return tuple(_hit(snapshot, span, chunks[span.best.id], idf, name, filters) for span in there)


def _hit(snapshot: Snapshot, span: Span, chunk: Chunk, idf: dict[str, float], name: str, filters: Filters) -> Hit:
    kinds = filters.kinds
    symbols = named_symbols(chunk, name, kinds) if name else ()
    symbol = symbols[0] if symbols else best_symbol(chunk, idf, kinds) if idf or kinds else None
    if not filters.grep:
        lines = own_lines(chunk, name) if symbols else None
        if lines is None and symbol is not None and kinds and chunk.kind not in kinds and is_line_by_line(chunk):
            lines = symbol.start_line, symbol.end_line  # what was asked for is a part of the chunk
        if lines is not None:
            span = replace(span, start_line=lines[0], end_line=lines[1])
    if symbol is not None:
        chunk = about(chunk, symbol)
    text = chunk.text
    if (span.start_line, span.end_line) != (chunk.start_line, chunk.end_line):
        text = _lines(snapshot, chunk.path, span)
    start = definition_line(replace(chunk, text=text, start_line=span.start_line), name) if name else None
    return Hit(
        chunk=chunk,
        start_line=span.start_line,
        end_line=span.end_line,
        text=text,
        score=span.best.score,
        signals=span.best.signals,
        salient_lines=salient_lines(text, span.start_line, idf, SALIENT, start),
        terms=tuple(idf),
        copies=places(span.copies),
    )


def _lines(snapshot: Snapshot, path: str, span: Span) -> str:
    """The lines of a merged hit, put together from the file's chunks; lines between chunks are blank."""
    lines = [("", "")] * (span.end_line - span.start_line + 1)
    for chunk in snapshot.rows.texts_between(path, span.start_line, span.end_line):
        for n, line in enumerate(lines_with_breaks(chunk.text), chunk.start_line - span.start_line):
            if 0 <= n < len(lines):
                lines[n] = line
    shown, end = [], "\n"
    for text, own_end in lines:
        end = own_end or end  # a blank line between chunks ends as the one before: "\r" and "\n" would be one break
        shown += [text, end]
    return "".join(shown[:-1])
