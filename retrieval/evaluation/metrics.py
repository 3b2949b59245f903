"""NDCG@10 as the public code-search benchmark (MinishLab/semble) computes it.

Targets are a query's `relevant` and `secondary` answers, each a path or {path, start_line, end_line}. A result covers
a target when one path is a suffix of the other and, where the target has lines, the line ranges overlap. Only the first
of the top ten results that covers a target gains; the ideal has one gain a target, at most ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOP = 10


@dataclass(frozen=True, slots=True)
class FileSpan:
    """A path, and its lines where they matter (1-based, inclusive)."""

    path: str
    start_line: int | None = None
    end_line: int | None = None

    def covers(self, target: FileSpan) -> bool:
        same = self.path == target.path
        if not (same or self.path.endswith("/" + target.path) or target.path.endswith("/" + self.path)):
            return False
        if target.start_line is None or target.end_line is None or self.start_line is None or self.end_line is None:
            return True
        return self.start_line <= target.end_line and target.start_line <= self.end_line


def targets_of(annotation: Mapping[str, Any]) -> list[FileSpan]:
    """The targets of one annotated query."""
    named = [*annotation["relevant"], *annotation["secondary"]]
    return [
        FileSpan(t) if isinstance(t, str) else FileSpan(t["path"], t.get("start_line"), t.get("end_line"))
        for t in named
    ]


def ndcg(results: Sequence[FileSpan], targets: Sequence[FileSpan]) -> float:
    """Normalised discounted cumulative gain of the top ten results, 0..1. Raises ValueError without targets."""
    if not targets:
        raise ValueError("a query without targets cannot be scored")
    firsts = {next((rank for rank, r in enumerate(results[:TOP]) if r.covers(t)), None) for t in targets}
    gain = sum(1 / math.log2(rank + 2) for rank in firsts if rank is not None)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(TOP, len(targets))))
