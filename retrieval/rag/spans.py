"""What a context is made of: spans of files that do not overlap, and the Markdown that shows them.

A span is (a part of) a hit. Where hits overlap, the better one keeps the lines, so that no line is shown twice. The text is
hostile: it cannot end its fence, and neither it nor a path can begin a heading or a link of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.types import Hit

BREAK = re.compile(r"\r\n|\r|\n")  # what ends a line for editors, and for the index
_BACKTICKS = re.compile(r"`+")
_TAG = re.compile(r"[a-z0-9+#_-]{1,30}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of one file. An outline's text, and one that was cut, say with a line that begins with "…" what is missing."""

    path: str
    start_line: int
    end_line: int
    kind: Literal["code", "outline"]
    text: str
    language: str
    symbol: str  # what is defined there, with the names around it; "" where nothing is


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a hit that no better hit has."""

    rank: int
    hit: Hit
    start: int
    end: int
    lines: tuple[str, ...]
    # Whether lines are the file's own. Not so in notebooks (a cell's lines are written as JSON).
    numbered: bool

    def piece(self, lines: Sequence[str], end: int, kind: Literal["code", "outline"] = "code") -> Piece:
        chunk = self.hit.chunk
        return Piece(chunk.path, self.start, end, kind, "\n".join(lines), chunk.language, chunk.qualified)


def spans_of(hits: Sequence[Hit]) -> list[Span]:
    """The hits as spans, best first; lines that a better one has and blank borders are left out."""
    taken: dict[str, set[int]] = defaultdict(set)
    spans: list[Span] = []
    for rank, hit in enumerate(hits):
        mine = taken[hit.chunk.path]
        lines = tuple(BREAK.split(hit.text))
        numbers = range(hit.start_line, hit.end_line + 1)
        if hit.chunk.kind != "cell" and len(lines) == len(numbers):
            spans += [Span(rank, hit, a, b, lines[a - numbers[0] : b - numbers[0] + 1], True)
                      for a, b in _runs(numbers, lines, mine)]  # fmt: skip
        elif hit.text.strip() and mine.isdisjoint(numbers):
            spans.append(Span(rank, hit, hit.start_line, hit.end_line, lines, False))
        mine.update(numbers)
    return spans


def _runs(numbers: range, lines: Sequence[str], taken: set[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of the stretches of free lines, from text to text."""
    first = last = 0
    for number, line in zip(numbers, lines, strict=True):
        if number in taken:
            if first:
                yield first, last
            first = 0
        elif line.strip():
            first, last = first or number, number
    if first:
        yield first, last


def markdown(piece: Piece) -> str:
    """A heading that cites the lines, and the lines in a fence that they cannot end."""
    lines = f"{piece.start_line}-{piece.end_line}" if piece.end_line > piece.start_line else f"{piece.start_line}"
    heading = f"### {code_span(f'{piece.path}:{lines}')}"
    if piece.symbol:
        heading += f" {code_span(piece.symbol)}"
    fence = "`" * max(3, 1 + _longest_run(piece.text))
    tag = piece.language if piece.language != "text" and _TAG.fullmatch(piece.language) else ""
    return f"{heading}\n{fence}{tag}\n{piece.text}\n{fence}"


def code_span(text: str) -> str:
    """Text as inline code, on one line whatever it holds."""
    text = "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in text)
    ticks = "`" * (1 + _longest_run(text))
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
