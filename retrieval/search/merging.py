"""Hits that touch or overlap in one file become one, at the better one's place in the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.search.ranking import Ranked
from retrieval.store import Header
from retrieval.types import Chunk

# Lines between two hits that may be bridged: a blank line and a brace.
GAP = 2
# A merged hit longer than this is no longer an answer but a file.
MAX_LINES = 120
# Candidates that make an earlier hit longer; what ranks lower adds lines that few readers are after.
MERGED = 40


@dataclass(slots=True)
class Span:
    """A best candidate with the lines its neighbours added."""

    best: Ranked
    start_line: int
    end_line: int
    copies: tuple[Chunk | Header, ...] = ()  # of all of them, elsewhere


def merge(ranked: Sequence[Ranked]) -> list[Span]:
    """Fold each of the best candidates into an earlier one of the same file that it touches; others only if they add no line."""
    spans: list[Span] = []
    by_path: dict[str, list[Span]] = defaultdict(list)
    for place, candidate in enumerate(ranked):
        chunk = candidate.chunk
        in_file = by_path[chunk.path]
        joins = _touches if place < MERGED else _holds
        if (span := next((s for s in in_file if joins(s, candidate)), None)) is None:
            span = Span(candidate, chunk.start_line, chunk.end_line, candidate.copies)
            spans.append(span)
            in_file.append(span)
        else:
            span.start_line = min(span.start_line, chunk.start_line)
            span.end_line = max(span.end_line, chunk.end_line)
            span.copies += candidate.copies
    return spans


def _touches(span: Span, candidate: Ranked) -> bool:
    """Whether a candidate of the same file continues a span."""
    chunk = candidate.chunk
    if chunk.kind == "cell":
        return False
    start, end = min(span.start_line, chunk.start_line), max(span.end_line, chunk.end_line)
    near = chunk.start_line <= span.end_line + GAP and span.start_line <= chunk.end_line + GAP
    return near and (end - start < MAX_LINES or (start, end) == (span.start_line, span.end_line))


def _holds(span: Span, candidate: Ranked) -> bool:
    """Whether a span of the same file shows all lines of a candidate."""
    return span.start_line <= candidate.chunk.start_line and candidate.chunk.end_line <= span.end_line
