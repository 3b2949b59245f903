"""One hop from the hits: what encloses them, and the definitions of names that the best of them use.

Only their signatures are shown, for few tokens: who reads a method wants its class, and who reads a call what is called. Whether
that finds more of the lines that the benchmarks ask for was not measured.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from retrieval.rag.units import Chunks, Unit, file_lines, unit_of
from retrieval.search import Snapshot
from retrieval.types import Chunk, Hit

# Hits whose names are looked up; of each name that only few chunks define, so that it is likely the one that is meant.
BEST = 3
MAX_DEFINITIONS = 2
MAX_NAMES = 40
RELATED_WORTH = 0.05  # as a hit of rank 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{3,}")


def related(hits: Sequence[Hit], snapshot: Snapshot, chunks_of: Chunks, prefix: str = "") -> list[Unit]:
    """Units of which the signature is shown where the budget allows. `prefix` stands before the paths of the hits."""
    shown = {(hit.chunk.path, hit.chunk.start_line) for hit in hits}
    units = list(_enclosing(hits[:BEST], chunks_of))
    definitions = _definitions(hits[:BEST], snapshot, prefix)
    units += [
        unit for chunk in definitions if (chunk.path, chunk.start_line) not in shown for unit in _signature(chunk, BEST)
    ]
    return units


def _enclosing(hits: Sequence[Hit], chunks_of: Chunks) -> Iterator[Unit]:
    """The line that begins the class around each hit."""
    for rank, hit in enumerate(hits):
        scope = hit.chunk.scope
        if not scope:
            continue
        for chunk in chunks_of(hit.chunk.path):
            if chunk.qualified == scope and chunk.start_line < hit.start_line:
                yield from _signature(chunk, rank)
                break


def _definitions(hits: Sequence[Hit], snapshot: Snapshot, prefix: str) -> list[Chunk]:
    names = Counter(name for hit in hits for name in set(_NAME.findall(hit.text)) - {hit.chunk.symbol})
    wanted = [name for name, _ in names.most_common(MAX_NAMES)]
    rows: dict[str, list[int]] = {}
    for row, name in snapshot.rows.by_symbol(wanted):
        rows.setdefault(name, []).append(row)
    few = [row for name in rows for row in rows[name] if len(rows[name]) <= MAX_DEFINITIONS]
    chunks = snapshot.rows.chunks(few)
    return [_with_prefix(chunks[row], prefix) for row in dict.fromkeys(few) if row in chunks]


def _with_prefix(chunk: Chunk, prefix: str) -> Chunk:
    return replace(chunk, path=prefix + chunk.path) if prefix else chunk


def _signature(chunk: Chunk, rank: int) -> Iterator[Unit]:
    if chunk.kind == "cell":
        return
    rows = file_lines([chunk])
    numbers = range(chunk.start_line, chunk.end_line + 1)
    yield from unit_of(chunk, numbers, rows, None, rank, RELATED_WORTH)
