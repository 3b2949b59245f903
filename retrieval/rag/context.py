"""Context for a question or a selection: ask one workspace or several, pack what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from retrieval.engine import Workspace
from retrieval.engine.explain import chunk_at
from retrieval.rag.packing import Context, pack
from retrieval.rag.spans import BREAK
from retrieval.rag.token_estimate import Count, estimate
from retrieval.search import Snapshot
from retrieval.types import NO_FILTERS, Answer, Chunk, Filters, Freshness, Hit, SearchRequest, SimilarRequest

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


@dataclass(frozen=True, slots=True)
class Found:
    """What one workspace answers, and what it was answered from. `prefix` goes before its paths in the context."""

    answer: Answer
    snapshot: Snapshot
    prefix: str = ""


def context(
    workspace: Workspace,
    query: str,
    *,
    budget: int = BUDGET,
    limit: int = HITS,
    filters: Filters = NO_FILTERS,
    count: Count = estimate,
) -> Packed:
    """What a question needs. Raises QueryError."""
    return _packed(find(workspace, query, limit=limit, filters=filters), (), budget, count)


def context_around(
    workspace: Workspace,
    path: str,
    start_line: int,
    end_line: int,
    *,
    budget: int = BUDGET,
    limit: int = HITS,
    filters: Filters = NO_FILTERS,
    count: Count = estimate,
) -> Packed:
    """The selected lines themselves, and the places most like them. A cursor (one line) selects what it stands in.

    Raises QueryError where the file is not indexed.
    """
    chosen = selection(workspace, path, start_line, end_line)
    return _packed(find_like(workspace, chosen, limit=limit, filters=filters), (chosen,), budget, count)


def find(
    workspace: Workspace, query: str, *, limit: int = HITS, filters: Filters = NO_FILTERS, prefix: str = ""
) -> Found:
    """Places for a question, to be packed. Raises QueryError."""
    snapshot, _ = workspace.snapshot()
    request = SearchRequest(query, filters, limit, highlight=True)
    return Found(workspace.search(request), snapshot, prefix)


def find_like(
    workspace: Workspace, chosen: Hit, *, limit: int = HITS, filters: Filters = NO_FILTERS, prefix: str = ""
) -> Found:
    """Places like a selection, of this workspace or another, to be packed."""
    snapshot, _ = workspace.snapshot()
    text = f"{chosen.chunk.path}\n{chosen.text}"
    request = SimilarRequest(text=text, filters=filters, limit=limit)
    return Found(workspace.similar(request), snapshot, prefix)


def selection(workspace: Workspace, path: str, start: int, end: int) -> Hit:
    """Lines of the index, or of the open buffer, as a hit. Raises QueryError where the file is not indexed."""
    snapshot, _ = workspace.snapshot()
    chunks = [chunk for _, chunk in snapshot.rows.file_chunks(path)]
    chunk = chunk_at(path, start, chunks)
    touched = [chunk for chunk in chunks if chunk.start_line <= end and start <= chunk.end_line]
    if not touched or start >= end or chunk.kind == "cell":
        return Hit(chunk, chunk.start_line, chunk.end_line, chunk.text, 1.0)
    lines = _file_lines(touched)
    start, end = max(start, touched[0].start_line), min(end, touched[-1].end_line)
    return Hit(chunk, start, end, "\n".join(lines.get(n, "") for n in range(start, end + 1)), 1.0)


def pack_found(
    found: Sequence[Found], chosen: Sequence[Hit], budget: int, *, limit: int = HITS, count: Count = estimate
) -> Context:
    """The chosen hits, then the best of what was found, as one context. Chosen hits have their prefix already."""
    hits = [renamed(hit, one.prefix) for one in found for hit in one.answer.hits]
    if len(found) > 1:
        hits.sort(key=lambda hit: -hit.score)

    @cache
    def lines_of(path: str) -> Mapping[int, str]:
        for one in found:
            if path.startswith(one.prefix) and (chunks := one.snapshot.rows.file_chunks(path[len(one.prefix) :])):
                return _file_lines(chunk for _, chunk in chunks)
        return {}

    return pack((*chosen, *hits[:limit]), budget, count=count, lines_of=lines_of)


def renamed(hit: Hit, prefix: str) -> Hit:
    """The hit with something before its path."""
    return replace(hit, chunk=replace(hit.chunk, path=prefix + hit.chunk.path)) if prefix else hit


def _packed(found: Found, chosen: tuple[Hit, ...], budget: int, count: Count) -> Packed:
    answer = found.answer
    packed = pack_found([found], chosen, budget, limit=len(answer.hits), count=count)
    return Packed(packed, answer.freshness, answer.encoder, answer.seconds, answer.notes)


def _file_lines(chunks: Iterable[Chunk]) -> dict[int, str]:
    """The lines of a file by number; those between chunks are blank and left out."""
    lines: dict[int, str] = {}
    for chunk in chunks:
        if chunk.kind != "cell":
            for number, line in enumerate(BREAK.split(chunk.text), chunk.start_line):
                lines.setdefault(number, line)
    return lines
