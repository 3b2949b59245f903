"""Shorter forms of a span: its outline, or its first lines up to the end of a statement."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from retrieval.chunking.node_depths import node_depths
from retrieval.indexing import shared_worker
from retrieval.rag.spans import ContextSpan, HitSpan

SIGNATURE_LINES = 5  # of a definition with its parameters on separate lines
SALIENT_LINES = 3
# An ellipsis costs about as much as a short line, so a gap of one line is shown instead.
MIN_GAP = 2


def outline(span: HitSpan) -> ContextSpan | None:
    """The signature and the most salient lines; None if that is (nearly) everything."""
    if not span.has_file_lines:
        return None
    selected = {*_signature(span), *(n for n in span.hit.salient_lines[:SALIENT_LINES] if span.start <= n <= span.end)}
    lines: list[str] = []
    last = span.start - 1
    for number in sorted({*selected, span.end + 1}):
        gap = span.lines[last + 1 - span.start : number - span.start]
        if len(gap) >= MIN_GAP:
            following = span.lines[number - span.start] if number <= span.end else ""
            lines.append(f"{_indentation(following)}… {len(gap)} lines")
        else:
            lines += gap
        if number <= span.end:
            lines.append(span.lines[number - span.start])
        last = number
    return span.context_span(lines, span.end, "outline") if len(lines) < len(span.lines) else None


def truncated_span(span: HitSpan, length: int) -> ContextSpan:
    """At most `length` first lines, up to the end of a statement, and an ellipsis that says what is missing."""
    kept = _last_boundary(span.hit.chunk.language, span.lines, length) if length < len(span.lines) else length
    while kept > 1 and not span.lines[kept - 1].strip():
        kept -= 1
    return first_lines(span, kept)


def first_lines(span: HitSpan, length: int) -> ContextSpan:
    """Exactly `length` lines and the ellipsis."""
    if length >= len(span.lines):
        return span.context_span(span.lines, span.end)
    missing = len(span.lines) - length
    ellipsis = f"… {missing} more line{'s' if missing > 1 else ''}"
    if not span.has_file_lines:
        return span.context_span([*span.lines[:length], ellipsis], span.end)
    return span.context_span([*span.lines[:length], f"{ellipsis}, to line {span.end}"], span.start + length - 1)


def _signature(span: HitSpan) -> list[int]:
    """The line with the defined name and its parameters; else the first line."""
    symbol = span.hit.chunk.symbol
    pattern = re.compile(rf"(?<!\w){re.escape(symbol)}(?!\w)") if symbol else None
    first = next((i for i, line in enumerate(span.lines) if pattern is not None and pattern.search(line)), 0)
    numbers, open_brackets = [], 0
    for number, line in enumerate(span.lines[first : first + SIGNATURE_LINES], span.start + first):
        numbers.append(number)
        open_brackets += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if open_brackets <= 0:
            break
    return numbers


def _last_boundary(language: str, lines: Sequence[str], limit: int) -> int:
    """How many lines to keep, at least half of the limit: up to the boundary that splits the fewest syntax nodes."""
    depths = _nesting_depths(language, lines)
    return max(range(max(1, limit // 2), limit + 1), key=lambda kept: (-depths[kept], kept))


def _nesting_depths(language: str, lines: Sequence[str]) -> list[int]:
    """For each boundary, before line n, the number of syntax nodes that span it; without a grammar the indentation of the next
    line, which correlates with it."""
    text = textwrap.dedent("\n".join(lines))
    depths = shared_worker.call(node_depths.__module__, node_depths.__name__, language, text, len(lines), text=text)
    if depths is None:
        depths = [0] * (len(lines) + 1)
        for n in range(len(lines) - 1, 0, -1):
            depths[n] = len(_indentation(lines[n]).expandtabs()) if lines[n].strip() else depths[n + 1]
    return list(depths)


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
