"""The first lines of a unit that fit into what is left of a budget, up to the end of a statement."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from retrieval.chunking.node_depths import node_depths
from retrieval.indexing import shared_worker
from retrieval.rag.token_estimate import TokenCounter
from retrieval.rag.units import Unit

# Fewer lines than this of a truncated unit say little more than its outline.
MIN_LINES = 8


def first_lines(unit: Unit, missing: frozenset[int], room: int, count: TokenCounter) -> frozenset[int]:
    """The first lines of the unit, of which those missing cost at most `room` tokens; empty if that adds fewer than MIN_LINES."""
    length = 0
    for number, line in enumerate(unit.lines, unit.first):
        room -= count(f"{line}\n") if number in missing else 0
        if room < 0:
            break
        length += 1
    if length < len(unit.lines) and length:
        length = _last_boundary(unit.language, unit.lines, length)
    lines = frozenset(range(unit.first, unit.first + length))
    return lines if len(lines & missing) >= MIN_LINES else frozenset()


def _last_boundary(language: str, lines: Sequence[str], limit: int) -> int:
    """How many lines to keep, at least half of the limit: up to the boundary that splits the fewest syntax nodes."""
    depths = _nesting_depths(language, lines)
    kept = max(range(max(1, limit // 2), limit + 1), key=lambda kept: (-depths[kept], kept))
    while kept > 1 and not lines[kept - 1].strip():
        kept -= 1
    return kept


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
