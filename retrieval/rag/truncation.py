"""Less of a span: its outline, or its beginning cut where a statement ends."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from retrieval.chunking.parsing import parse
from retrieval.indexing import shared
from retrieval.rag.spans import Piece, Span

SIGNATURE_LINES = 5  # of a definition whose parameters stand on lines of their own
SALIENT_LINES = 3
# A mark costs about as much as a short line: gaps of one line are shown instead.
SMALLEST_GAP = 2


def outline(span: Span) -> Piece | None:
    """The signature and the lines worth most; None where that is (nearly) everything."""
    if not span.numbered:
        return None
    picked = {*_signature(span), *(n for n in span.hit.salient_lines[:SALIENT_LINES] if span.start <= n <= span.end)}
    shown: list[str] = []
    last = span.start - 1
    for number in sorted({*picked, span.end + 1}):
        gap = span.lines[last + 1 - span.start : number - span.start]
        if len(gap) >= SMALLEST_GAP:
            following = span.lines[number - span.start] if number <= span.end else ""
            shown.append(f"{_indentation(following)}… {len(gap)} lines")
        else:
            shown += gap
        if number <= span.end:
            shown.append(span.lines[number - span.start])
        last = number
    return span.piece(shown, span.end, "outline") if len(shown) < len(span.lines) else None


def beginning(span: Span, length: int) -> Piece:
    """The first lines of a span, `length` at most, up to the end of a statement, and a mark that says what is missing."""
    kept = _last_border(span.hit.chunk.language, span.lines, length) if length < len(span.lines) else length
    while kept > 1 and not span.lines[kept - 1].strip():
        kept -= 1
    return first_lines(span, kept)


def first_lines(span: Span, length: int) -> Piece:
    """Exactly so many lines and the mark."""
    if length >= len(span.lines):
        return span.piece(span.lines, span.end)
    missing = len(span.lines) - length
    mark = f"… {missing} more line{'s' if missing > 1 else ''}"
    if not span.numbered:
        return span.piece([*span.lines[:length], mark], span.end)
    return span.piece([*span.lines[:length], f"{mark}, to line {span.end}"], span.start + length - 1)


def _signature(span: Span) -> list[int]:
    """The line that names what is defined, with its parameters; else the first line."""
    symbol = span.hit.chunk.symbol
    named = re.compile(rf"(?<!\w){re.escape(symbol)}(?!\w)") if symbol else None
    first = next((i for i, line in enumerate(span.lines) if named is not None and named.search(line)), 0)
    numbers, open_brackets = [], 0
    for number, line in enumerate(span.lines[first : first + SIGNATURE_LINES], span.start + first):
        numbers.append(number)
        open_brackets += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if open_brackets <= 0:
            break
    return numbers


def _last_border(language: str, lines: Sequence[str], limit: int) -> int:
    """How many lines to keep, half of the limit at least: up to the border that splits the fewest things."""
    depths = _depths(language, lines)
    return max(range(max(1, limit // 2), limit + 1), key=lambda kept: (-depths[kept], kept))


def _depths(language: str, lines: Sequence[str]) -> list[int]:
    """For each border, before line n, how many nodes of the parse tree lie on both sides; without a grammar the
    indentation behind it, which is the same in well-kept code."""
    text = textwrap.dedent("\n".join(lines))
    depths = shared.call(__name__, depths_of_nodes.__name__, language, text, len(lines), text=text)
    if depths is None:
        depths = [0] * (len(lines) + 1)
        for n in range(len(lines) - 1, 0, -1):
            depths[n] = len(_indentation(lines[n]).expandtabs()) if lines[n].strip() else depths[n + 1]
    return list(depths)


def depths_of_nodes(language: str, text: str, count: int) -> list[int] | None:
    """The same by the parse tree alone, for a worker to do; None without a grammar."""
    root = parse(language, text.encode("utf-8", "replace"))
    if root is None:
        return None
    depths = [0] * (count + 1)
    nodes = [root]
    while nodes:
        node = nodes.pop()
        first, last = node.start_point[0], node.end_point[0] - (node.end_point[1] == 0)
        if last > first:
            depths[first + 1] += 1
            depths[min(last + 1, count)] -= 1
            nodes.extend(node.children)
    for n in range(1, len(depths)):  # from changes to sums
        depths[n] += depths[n - 1]
    return depths


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
