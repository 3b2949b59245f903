"""One hop from the hits: what encloses them, what the best of them call, and what calls the code that is asked about.

Only signatures are shown, of callers with the line of the call, for few tokens: who reads a method wants its class, and who reads
a call what is called. What is called is known from the parse trees; of files without, names are taken that few chunks define.
No benchmark of ours gains by it: of 62 questions for changed functions, 4,000 tokens show .583 with and without, .567 with all
names that few chunks define, .551 with whole functions instead of signatures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from retrieval.indexing import OverlaidRows
from retrieval.indexing.overlay_snapshot import EMPTY_STRUCTURE_BYTES
from retrieval.rag.units import Chunks, Unit, file_lines, unit_of
from retrieval.search import Snapshot
from retrieval.structure import Relation, SymbolDefinition, Usage, relate
from retrieval.types import NO_FILTERS, Chunk, Hit

# Hits whose names are looked up; of each name that only few chunks define, so that it is likely the one that is meant.
BEST = 3
MAX_DEFINITIONS = 2
MAX_NAMES = 40
MAX_CALLEES = 12  # of each of the best hits
MAX_CALLERS = 6
RELATED_WORTH = 0.05  # as a hit of rank 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{3,}")


def related(
    hits: Sequence[Hit], snapshot: Snapshot, chunks_of: Chunks, prefix: str = "", query: str = ""
) -> list[Unit]:
    """Units of which the signature is shown where the budget allows. `prefix` stands before the paths of the hits; the callers of
    a hit that `query` names are among them.
    """
    shown = {(hit.chunk.path, hit.chunk.start_line) for hit in hits}
    units = [*_callers(hits[:BEST], snapshot, chunks_of, prefix, query)]
    units += _callees(hits[:BEST], snapshot, chunks_of, prefix)
    unread = [hit for hit in hits[:BEST] if not _has_structure(hit, snapshot, prefix)]
    units += [unit for chunk in _definitions(unread, snapshot, prefix) for unit in _signature(chunk, BEST)]
    found: dict[tuple[str, int], Unit] = {}
    for unit in units:
        if (unit.path, unit.first) not in shown:
            found.setdefault((unit.path, unit.first), unit)
    return [*_enclosing(hits[:BEST], chunks_of), *found.values()]


def _has_structure(hit: Hit, snapshot: Snapshot, prefix: str) -> bool:
    """Whether the calls in the file of a hit are known."""
    rows = snapshot.rows
    if not hit.chunk.symbol or not isinstance(rows, OverlaidRows):
        return False
    data = rows.structure_of(hit.chunk.path[len(prefix) :])
    return data is not None and len(data) > EMPTY_STRUCTURE_BYTES


def _callees(hits: Sequence[Hit], snapshot: Snapshot, chunks_of: Chunks, prefix: str) -> Iterator[Unit]:
    for hit in hits:
        for usage in _usages("callees", hit, snapshot, prefix, MAX_CALLEES):
            yield from _around(usage, chunks_of, prefix)


def _callers(hits: Sequence[Hit], snapshot: Snapshot, chunks_of: Chunks, prefix: str, query: str) -> Iterator[Unit]:
    named = set(_NAME.findall(query))
    for hit in hits:
        if hit.chunk.symbol in named:
            for usage in _usages("callers", hit, snapshot, prefix, MAX_CALLERS):
                for unit in _around(usage, chunks_of, prefix):
                    yield replace(unit, signature=unit.signature | ({usage.line} & unit.numbers))


def _usages(relation: Relation, hit: Hit, snapshot: Snapshot, prefix: str, limit: int) -> list[Usage]:
    """What calls a hit, or what it calls, as far as more is known than a name."""
    chunk = hit.chunk
    if not chunk.symbol or not isinstance(snapshot.rows, OverlaidRows):
        return []
    path, lines = chunk.path[len(prefix) :], (hit.start_line, hit.end_line, hit.start_line)
    definition = SymbolDefinition(path, chunk.language, chunk.kind, chunk.symbol, chunk.scope, *lines)
    found = relate(snapshot.rows, relation, [definition], NO_FILTERS, limit)
    return [usage for usage in found.usages if usage.certainty != "by name"]


def _around(usage: Usage, chunks_of: Chunks, prefix: str) -> Iterator[Unit]:
    for chunk in chunks_of(prefix + usage.path, usage.line, usage.line):
        yield from _signature(chunk, BEST)
        return


def _enclosing(hits: Sequence[Hit], chunks_of: Chunks) -> Iterator[Unit]:
    """The line that begins the class around each hit."""
    for rank, hit in enumerate(hits):
        scope = hit.chunk.scope
        if not scope:
            continue
        for chunk in chunks_of(hit.chunk.path, 1, hit.start_line):
            if chunk.qualified == scope and chunk.start_line < hit.start_line:
                yield from _signature(chunk, rank)
                break


def _definitions(hits: Sequence[Hit], snapshot: Snapshot, prefix: str) -> list[Chunk]:
    # In order of appearance, which decides among names that are equally frequent; a set has another order in each process.
    each = (dict.fromkeys(name for name in _NAME.findall(hit.text) if name != hit.chunk.symbol) for hit in hits)
    names = Counter(name for found in each for name in found)
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
