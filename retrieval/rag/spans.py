"""The spans of a context: ranges of files that do not overlap, and their Markdown.

A hit span is all or part of a hit. Where hits overlap, the better one keeps the lines, so that no line is shown twice. The text
is untrusted: it cannot end its fence, and neither it nor a path can begin a heading or a link.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.escaping import code_span, fenced
from retrieval.types import Hit, Location

MAX_COPIES = 3  # places of a copied text that are named
LINE_BREAK = re.compile(r"\r\n|\r|\n")  # line ends, for editors and for the index


@dataclass(frozen=True, slots=True)
class ContextSpan:
    """Lines of one file as the context shows them. Lines that begin with "…" say what an outline or a truncated text omits."""

    path: str
    start_line: int
    end_line: int
    kind: Literal["code", "outline"]
    text: str
    language: str
    symbol: str  # qualified name of what is defined there; "" if nothing is
    copies: tuple[Location, ...] = ()  # where the same text stands as well


@dataclass(frozen=True, slots=True)
class HitSpan:
    """Lines of a hit that no better hit contains."""

    rank: int
    hit: Hit
    start: int
    end: int
    lines: tuple[str, ...]
    # Whether `lines` are lines of the file. False for notebooks: a cell's lines are stored as JSON.
    has_file_lines: bool

    def context_span(self, lines: Sequence[str], end: int, kind: Literal["code", "outline"] = "code") -> ContextSpan:
        chunk = self.hit.chunk
        text, copies = "\n".join(lines), self.hit.copies
        return ContextSpan(chunk.path, self.start, end, kind, text, chunk.language, chunk.qualified, copies)


def spans_of(hits: Sequence[Hit]) -> list[HitSpan]:
    """The hits as spans, best first, without the lines of better hits and without blank lines at either end."""
    covered: dict[str, set[int]] = defaultdict(set)
    spans: list[HitSpan] = []
    for rank, hit in enumerate(hits):
        covered_here = covered[hit.chunk.path]
        lines = tuple(LINE_BREAK.split(hit.text))
        numbers = range(hit.start_line, hit.end_line + 1)
        if hit.chunk.kind != "cell" and len(lines) == len(numbers):
            spans += [HitSpan(rank, hit, a, b, lines[a - numbers[0] : b - numbers[0] + 1], True)
                      for a, b in _free_ranges(numbers, lines, covered_here)]  # fmt: skip
        elif hit.text.strip() and covered_here.isdisjoint(numbers):
            spans.append(HitSpan(rank, hit, hit.start_line, hit.end_line, lines, False))
        covered_here.update(numbers)
    return spans


def _free_ranges(numbers: range, lines: Sequence[str], covered: set[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each range of lines that are not covered, without blank lines at either end."""
    first = last = 0
    for number, line in zip(numbers, lines, strict=True):
        if number in covered:
            if first:
                yield first, last
            first = 0
        elif line.strip():
            first, last = first or number, number
    if first:
        yield first, last


def markdown(span: ContextSpan) -> str:
    """A heading that cites the lines, and the lines in a fence."""
    lines = f"{span.start_line}-{span.end_line}" if span.end_line > span.start_line else f"{span.start_line}"
    heading = f"### {code_span(f'{span.path}:{lines}')}"
    if span.symbol:
        heading += f" {code_span(span.symbol)}"
    also = "".join(f"{line}\n" for line in copies_line(span.copies))
    return f"{heading}\n{also}{fenced(span.text, span.language)}"


def copies_line(copies: Sequence[Location]) -> list[str]:
    """One line of Markdown on the other places of a text, none where there are none."""
    if not copies:
        return []
    shown = [code_span(f"{copy.path}:{copy.first_line}-{copy.last_line}") for copy in copies[:MAX_COPIES]]
    more = f" and {len(copies) - MAX_COPIES} more" if len(copies) > MAX_COPIES else ""
    return [f"Also in {', '.join(shown)}{more}"]
