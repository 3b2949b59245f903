"""Which lines of a hit to show first: those with the query's rarer words, and those where the model's pooling looks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.store import split_identifiers

# A line with half of the query's words beats one that the model merely likes.
WORDS, ATTENTION = 1.0, 0.5
_TELLING = re.compile(r"\w\W*\w\W*\w")  # a line of fewer letters and digits (a brace, "=>") shows nothing


def salient_lines(
    text: str,
    first_line: int,
    wanted: dict[str, float],
    count: int,
    weights: Sequence[tuple[int, int, float]] = (),
) -> tuple[int, ...]:
    """The `count` best line numbers of a hit, ascending.

    `wanted` maps the stems of the query to their idf, `weights` are (start, end, weight) in characters of the text, as
    `AttendingEncoder.attention` gives them.
    """
    lines = text.split("\n")
    looks = _attention_by_line(lines, weights)
    total = sum(wanted.values()) or 1.0
    scored = []
    for n, line in enumerate(lines):
        if not _TELLING.search(line):
            continue
        found = set(split_identifiers(line).split())
        words = sum(weight for s, weight in wanted.items() if s in found) / total
        scored.append((WORDS * words + ATTENTION * looks[n], -n))
    best = sorted(scored, reverse=True)[:count]
    return tuple(sorted(first_line - n for _, n in best))


def _attention_by_line(lines: Sequence[str], weights: Sequence[tuple[int, int, float]]) -> list[float]:
    """Attention summed over each line, the most looked-at line being 1."""
    out = [0.0] * len(lines)
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    row = 0
    for start, _, weight in sorted(weights):
        while row + 1 < len(starts) and starts[row + 1] <= start:
            row += 1
        out[row] += weight
    top = max(out, default=0.0)
    return [value / top for value in out] if top > 0 else out
