"""Packs hits into a context for an assistant, within a token budget.

The best hits are shown in full, lower ones as outlines (signature and most salient lines), and those that do not fit even so
are counted. A hit too long for the rest of the budget is truncated at the end of a statement. Files are ordered by their best
hit, the spans of a file by line; adjacent spans are merged. Nothing here reads an index or a file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.rag.spans import LINE_BREAK, ContextSpan, HitSpan, markdown, spans_of
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens
from retrieval.rag.truncation import first_lines, outline, truncated_span
from retrieval.types import Hit

# Share of the budget reserved for outlines: the best code is worth more than a list of everything.
OUTLINE_SHARE = 0.25
# Fewer lines than this of a truncated hit say less than its outline.
MIN_LINES = 8
# Two spans with at most this many lines between them (blank lines, a decorator, a brace) are merged with these lines.
GAP = 3
_SEPARATOR = "\n\n"

LineLookup = Callable[[str], Mapping[int, str]]  # path -> the known lines of the file by number


@dataclass(frozen=True, slots=True)
class Context:
    """Markdown for an assistant, and its spans. `left_out` counts the hits that are missing or incomplete."""

    text: str
    spans: tuple[ContextSpan, ...]
    tokens: int
    budget: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A span chosen for the context."""

    rank: int
    sources: frozenset[int]  # indexes of the hit spans it is made of
    span: ContextSpan
    joins_above: bool  # it begins with lines of the file, so it can be merged with the span before it
    joins_below: bool


def no_lines(_: str) -> Mapping[int, str]:
    """No line is known: only adjacent spans are merged."""
    return {}


def pack(
    hits: Sequence[Hit], budget: int, *, count: TokenCounter = estimate_tokens, lines_of: LineLookup = no_lines
) -> Context:
    """The hits, best first, as a context of at most `budget` tokens, as counted by `count`."""
    hit_spans = spans_of(hits)
    candidates = _merge(_choose(hit_spans, budget, count), lines_of, count)
    while True:
        ordered = _ordered(candidates)
        text = _SEPARATOR.join(markdown(one.span) for one in ordered)
        tokens = count(text)
        if not candidates or tokens <= budget:
            break
        candidates.remove(max(candidates, key=lambda one: one.rank))  # for this counter the sum exceeds the parts
    spans = tuple(one.span for one in ordered)
    included = frozenset[int]().union(*(one.sources for one in candidates))
    left_out = {span.rank for n, span in enumerate(hit_spans) if n not in included}
    return Context(text, spans, tokens if spans else 0, budget, len(left_out))


def _choose(spans: Sequence[HitSpan], budget: int, count: TokenCounter) -> list[_Candidate]:
    """The form of each span, best first; spans that do not fit are absent."""
    outlines = [outline(span) for span in spans]
    costs = [_cost(form, count) if form is not None else 0 for form in outlines]
    left = budget
    candidates: list[_Candidate] = []
    for n, (span, short) in enumerate(zip(spans, outlines, strict=True)):
        room = left - _reserved(costs[n + 1 :], min(left, int(budget * OUTLINE_SHARE)))
        full = span.context_span(span.lines, span.end)
        form: ContextSpan | None = full
        if _cost(full, count) > room:
            form = _truncate(span, room, count) if not candidates else None
            form = form or (short if costs[n] <= left else None)
        if form is not None:
            mergeable = span.has_file_lines and form.kind == "code"
            candidates.append(
                _Candidate(span.rank, frozenset({n}), form, mergeable, mergeable and form.end_line == span.end)
            )
            left -= _cost(form, count)
    return candidates


def _reserved(costs: Sequence[int], room: int) -> int:
    """The cost of the outlines that fit, best first."""
    reserved = 0
    for cost in costs:
        if reserved + cost <= room:
            reserved += cost
    return reserved


def _truncate(span: HitSpan, room: int, count: TokenCounter) -> ContextSpan | None:
    """As many first lines as fit; None if those are fewer than MIN_LINES."""
    length = bisect_right(range(1, len(span.lines)), room, key=lambda n: _cost(first_lines(span, n), count))
    return truncated_span(span, length) if length >= MIN_LINES else None


def _cost(span: ContextSpan, count: TokenCounter) -> int:
    return count(markdown(span) + _SEPARATOR)


def _merge(candidates: Sequence[_Candidate], lines_of: LineLookup, count: TokenCounter) -> list[_Candidate]:
    """Merge adjacent spans where that costs no more than both."""
    out: list[_Candidate] = []
    for one in sorted(candidates, key=lambda one: (one.span.path, one.span.start_line)):
        both = _join(out[-1], one, lines_of) if out else None
        if both is not None and _cost(both.span, count) <= _cost(out[-1].span, count) + _cost(one.span, count):
            out[-1] = both
        else:
            out.append(one)
    return out


def _join(one: _Candidate, other: _Candidate, lines_of: LineLookup) -> _Candidate | None:
    """Two spans and the lines between them, if these are few and known."""
    first, second = one.span, other.span
    if not (one.joins_below and other.joins_above and first.path == second.path):
        return None
    if second.start_line - first.end_line - 1 > GAP:
        return None
    between: list[str] = []
    if second.start_line > first.end_line + 1:
        lines = lines_of(first.path)
        # The index may have changed since the search: its lines then no longer match the hits.
        if lines.get(first.end_line) != _last_line(first) or lines.get(second.start_line) != _first_line(second):
            return None
        between = [lines.get(n, "") for n in range(first.end_line + 1, second.start_line)]
    symbol = first.symbol if first.symbol == second.symbol else ""
    text = "\n".join([first.text, *between, second.text])
    copies = tuple(dict.fromkeys((*first.copies, *second.copies)))
    joined = replace(first, end_line=second.end_line, text=text, symbol=symbol, copies=copies)
    return _Candidate(min(one.rank, other.rank), one.sources | other.sources, joined, True, other.joins_below)


def _first_line(span: ContextSpan) -> str:
    return LINE_BREAK.split(span.text)[0]


def _last_line(span: ContextSpan) -> str:
    return LINE_BREAK.split(span.text)[-1]


def _ordered(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """By file, the one with the best span first; within a file by line."""
    best: dict[str, int] = {}
    for one in candidates:
        best[one.span.path] = min(one.rank, best.get(one.span.path, one.rank))
    return sorted(candidates, key=lambda one: (best[one.span.path], one.span.path, one.span.start_line))
