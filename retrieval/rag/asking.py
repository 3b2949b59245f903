"""Context for a question or a selection: ask the workspace, pack what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from retrieval.explaining import chunk_at
from retrieval.rag.packing import Context, pack
from retrieval.rag.pieces import BREAK
from retrieval.rag.tokens import Count, estimate
from retrieval.search import Snapshot
from retrieval.types import Answer, Chunk, Filters, Freshness, Hit
from retrieval.workspace import NO_FILTERS, Workspace

BUDGET = 4_000  # tokens: ten places of 40 lines; small beside any assistant's window
HITS = 12


@dataclass(frozen=True, slots=True)
class Packed:
    """A context, and how far it can be trusted."""

    context: Context
    freshness: Freshness
    encoder: str  # name of the encoder whose vectors were used, "" where words alone were
    seconds: float
    notes: tuple[str, ...] = ()


def context(
    workspace: Workspace,
    query: str,
    *,
    budget: int = BUDGET,
    k: int = HITS,
    filters: Filters = NO_FILTERS,
    count: Count = estimate,
) -> Packed:
    """What a question needs. Raises QueryError."""
    snapshot, _ = workspace.snapshot()
    return _packed(snapshot, workspace.search(query, k, filters), (), budget, count)


def context_around(
    workspace: Workspace,
    path: str,
    start_line: int,
    end_line: int,
    *,
    budget: int = BUDGET,
    k: int = HITS,
    filters: Filters = NO_FILTERS,
    count: Count = estimate,
) -> Packed:
    """The selected lines themselves, and the places most like them. A cursor (one line) selects what it stands in.

    Raises QueryError where the file is not indexed.
    """
    snapshot, _ = workspace.snapshot()
    selected = _selected(snapshot, path, start_line, end_line)
    answer = workspace.similar(text=f"{path}\n{selected.text}", k=k, filters=filters)
    return _packed(snapshot, answer, (selected,), budget, count)


def _selected(snapshot: Snapshot, path: str, start: int, end: int) -> Hit:
    """The selection as a hit. The lines are those of the index, or of the open buffer."""
    chunks = [chunk for _, chunk in snapshot.rows.file_chunks(path)]
    chunk = chunk_at(path, start, chunks)
    touched = [chunk for chunk in chunks if chunk.start_line <= end and start <= chunk.end_line]
    if not touched or start >= end or chunk.kind == "cell":
        return Hit(chunk, chunk.start_line, chunk.end_line, chunk.text, 1.0)
    lines = _file_lines(touched)
    start, end = max(start, touched[0].start_line), min(end, touched[-1].end_line)
    return Hit(chunk, start, end, "\n".join(lines.get(n, "") for n in range(start, end + 1)), 1.0)


def _packed(snapshot: Snapshot, answer: Answer, before: tuple[Hit, ...], budget: int, count: Count) -> Packed:
    @cache
    def lines_of(path: str) -> Mapping[int, str]:
        return _file_lines([chunk for _, chunk in snapshot.rows.file_chunks(path)])

    packed = pack((*before, *answer.hits), budget, count=count, lines_of=lines_of)
    return Packed(packed, answer.freshness, answer.encoder, answer.seconds, answer.notes)


def _file_lines(chunks: list[Chunk]) -> dict[int, str]:
    """The lines of a file by number; those between chunks are blank and left out."""
    lines: dict[int, str] = {}
    for chunk in chunks:
        if chunk.kind != "cell":
            for number, line in enumerate(BREAK.split(chunk.text), chunk.start_line):
                lines.setdefault(number, line)
    return lines
