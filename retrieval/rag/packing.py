"""Hits to context for an assistant, within a budget of tokens.

The best places are shown whole, lower ones as outlines (their signature and most telling lines), and what does not even fit
as that is counted. A place too long for what is left is cut where a statement ends. Files come in the order of their best
place, the places of a file in the order of their lines, neighbours as one. Nothing here looks at an index or a file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.rag.spans import BREAK, Piece, Span, markdown, spans_of
from retrieval.rag.token_estimate import Count, estimate
from retrieval.rag.truncation import beginning, first_lines, outline
from retrieval.types import Hit

# Of the budget, kept for outlines of lower places: the best code is worth more than a list of everything.
OUTLINES_SHARE = 0.25
# Fewer lines than this of a place that was cut say less than its outline.
FEWEST_LINES = 8
# Lines between two places that are shown as well, so that they become one: blank lines, a decorator, a brace.
GAP = 3
_SEPARATOR = "\n\n"

Lines = Callable[[str], Mapping[int, str]]  # the lines of a file by their number, those that are known


@dataclass(frozen=True, slots=True)
class Context:
    """Markdown for an assistant, and what it is made of. `left_out` hits are not shown, or lack a part beside better ones."""

    text: str
    pieces: tuple[Piece, ...]
    tokens: int
    budget: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Shown:
    rank: int
    spans: frozenset[int]  # which ones the piece is made of, by their places in the list
    piece: Piece
    joins_above: bool  # it begins with the file's own lines: it can become one with what stands before it
    joins_below: bool


def no_lines(_: str) -> Mapping[int, str]:
    """Where nothing is known of the lines between hits."""
    return {}


def pack(hits: Sequence[Hit], budget: int, *, count: Count = estimate, lines_of: Lines = no_lines) -> Context:
    """The hits, best first, as context of `budget` tokens at most, as `count` counts them."""
    spans = spans_of(hits)
    shown = _merged(_choose(spans, budget, count), lines_of, count)
    while True:
        ordered = _ordered(shown)
        text = _SEPARATOR.join(markdown(one.piece) for one in ordered)
        tokens = count(text)
        if not shown or tokens <= budget:
            break
        shown.remove(max(shown, key=lambda one: one.rank))  # a counter for which the parts cost less than the whole
    pieces = tuple(one.piece for one in ordered)
    told = frozenset[int]().union(*(one.spans for one in shown))
    left_out = {span.rank for n, span in enumerate(spans) if n not in told}
    return Context(text, pieces, tokens if pieces else 0, budget, len(left_out))


def _choose(spans: Sequence[Span], budget: int, count: Count) -> list[_Shown]:
    """In which form each span is shown, best first; what does not fit is not among them."""
    outlines = [outline(span) for span in spans]
    costs = [_cost(piece, count) if piece is not None else 0 for piece in outlines]
    left = budget
    shown: list[_Shown] = []
    for n, (span, short) in enumerate(zip(spans, outlines, strict=True)):
        room = left - _reserved(costs[n + 1 :], min(left, int(budget * OUTLINES_SHARE)))
        whole = span.piece(span.lines, span.end)
        piece: Piece | None = whole
        if _cost(whole, count) > room:
            piece = _cut(span, room, count) if not shown else None
            piece = piece or (short if costs[n] <= left else None)
        if piece is not None:
            own = span.numbered and piece.kind == "code"
            shown.append(_Shown(span.rank, frozenset({n}), piece, own, own and piece.end_line == span.end))
            left -= _cost(piece, count)
    return shown


def _reserved(costs: Sequence[int], room: int) -> int:
    """What the outlines take that fit, the best first."""
    kept = 0
    for cost in costs:
        if kept + cost <= room:
            kept += cost
    return kept


def _cut(span: Span, room: int, count: Count) -> Piece | None:
    """As much of the beginning as fits, where that is worth it."""
    length = bisect_right(range(1, len(span.lines)), room, key=lambda n: _cost(first_lines(span, n), count))
    return beginning(span, length) if length >= FEWEST_LINES else None


def _cost(piece: Piece, count: Count) -> int:
    return count(markdown(piece) + _SEPARATOR)


def _merged(shown: Sequence[_Shown], lines_of: Lines, count: Count) -> list[_Shown]:
    """Neighbours as one, where that costs no more than both."""
    out: list[_Shown] = []
    for one in sorted(shown, key=lambda one: (one.piece.path, one.piece.start_line)):
        both = _joined(out[-1], one, lines_of) if out else None
        if both is not None and _cost(both.piece, count) <= _cost(out[-1].piece, count) + _cost(one.piece, count):
            out[-1] = both
        else:
            out.append(one)
    return out


def _joined(one: _Shown, other: _Shown, lines_of: Lines) -> _Shown | None:
    """Two pieces and the lines between them, if these are few and known."""
    first, second = one.piece, other.piece
    if not (one.joins_below and other.joins_above and first.path == second.path):
        return None
    if second.start_line - first.end_line - 1 > GAP:
        return None
    between: list[str] = []
    if second.start_line > first.end_line + 1:
        known = lines_of(first.path)
        # The index may have moved on since the hits were found: what is known then no longer meets them.
        if known.get(first.end_line) != _last(first) or known.get(second.start_line) != _first(second):
            return None
        between = [known.get(n, "") for n in range(first.end_line + 1, second.start_line)]
    symbol = first.symbol if first.symbol == second.symbol else ""
    text = "\n".join([first.text, *between, second.text])
    joined = replace(first, end_line=second.end_line, text=text, symbol=symbol)
    return _Shown(min(one.rank, other.rank), one.spans | other.spans, joined, True, other.joins_below)


def _first(piece: Piece) -> str:
    return BREAK.split(piece.text)[0]


def _last(piece: Piece) -> str:
    return BREAK.split(piece.text)[-1]


def _ordered(shown: Sequence[_Shown]) -> list[_Shown]:
    """By file, that of the best piece first; within a file by line."""
    best: dict[str, int] = {}
    for one in shown:
        best[one.piece.path] = min(one.rank, best.get(one.piece.path, one.rank))
    return sorted(shown, key=lambda one: (best[one.piece.path], one.piece.path, one.piece.start_line))
