"""Context for a query or a selection: search one or several workspaces and pack the hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from retrieval.engine import Workspace
from retrieval.engine.explain import chunk_at
from retrieval.rag.packing import Context, pack
from retrieval.rag.spans import LINE_BREAK
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens
from retrieval.search import Snapshot
from retrieval.types import NO_FILTERS, Answer, Chunk, Filters, Freshness, Hit, Location, SearchRequest, SimilarRequest

DEFAULT_BUDGET = 4_000  # tokens: ten spans of 40 lines; small compared with any model's context window
DEFAULT_LIMIT = 12


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """What a context is for: a query, lines of a file (a single line selects the chunk around it), or both."""

    query: str = ""
    location: Location | None = None
    filters: Filters = NO_FILTERS
    limit: int = DEFAULT_LIMIT
    budget: int = DEFAULT_BUDGET


@dataclass(frozen=True, slots=True)
class PackedContext:
    """A context with its freshness and notes."""

    context: Context
    freshness: Freshness
    encoder: str  # name of the encoder whose vectors were used; "" for a keyword-only search
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The answer of one workspace and the snapshot it comes from. `prefix` is put before its paths in the context."""

    answer: Answer
    snapshot: Snapshot
    prefix: str = ""


def context(
    workspace: Workspace, request: ContextRequest | str, *, count: TokenCounter = estimate_tokens
) -> PackedContext:
    """The context for a query, for some lines, or for a query about some lines; a string is a query with the defaults.

    Raises QueryError, also where the file of the lines is not indexed.
    """
    if isinstance(request, str):
        request = ContextRequest(request)
    lines, limit, filters = request.location, request.limit, request.filters
    selections = (selection(workspace, lines.path, lines.first_line, lines.last_line),) if lines else ()
    if request.query.strip() or not selections:
        retrieved = retrieve(workspace, request.query, limit=limit, filters=filters)
    else:
        retrieved = retrieve_similar(workspace, selections[0], limit=limit, filters=filters)
    answer = retrieved.answer
    packed = pack_retrieved([retrieved], selections, request.budget, limit=limit, count=count)
    return PackedContext(packed, answer.freshness, answer.encoder, answer.seconds, answer.notes)


def retrieve(
    workspace: Workspace, query: str, *, limit: int = DEFAULT_LIMIT, filters: Filters = NO_FILTERS, prefix: str = ""
) -> Retrieved:
    """Hits for a query, to be packed. Raises QueryError."""
    snapshot, _ = workspace.snapshot()
    request = SearchRequest(query, filters, limit, highlight=True)
    return Retrieved(workspace.search(request), snapshot, prefix)


def retrieve_similar(
    workspace: Workspace, selected: Hit, *, limit: int = DEFAULT_LIMIT, filters: Filters = NO_FILTERS, prefix: str = ""
) -> Retrieved:
    """Hits similar to a selection, of this workspace or another, to be packed."""
    snapshot, _ = workspace.snapshot()
    text = f"{selected.chunk.path}\n{selected.text}"
    request = SimilarRequest(text=text, filters=filters, limit=limit)
    return Retrieved(workspace.similar(request), snapshot, prefix)


def selection(workspace: Workspace, path: str, start: int, end: int) -> Hit:
    """Lines of the index, or of the open buffer, as a hit. Raises QueryError if the file is not indexed."""
    snapshot, _ = workspace.snapshot()
    chunks = [chunk for _, chunk in snapshot.rows.file_chunks(path)]
    chunk = chunk_at(path, start, chunks)
    overlapping = [chunk for chunk in chunks if chunk.start_line <= end and start <= chunk.end_line]
    if not overlapping or start >= end or chunk.kind == "cell":
        return Hit(chunk, chunk.start_line, chunk.end_line, chunk.text, 1.0)
    lines = _file_lines(overlapping)
    start, end = max(start, overlapping[0].start_line), min(end, overlapping[-1].end_line)
    return Hit(chunk, start, end, "\n".join(lines.get(n, "") for n in range(start, end + 1)), 1.0)


def pack_retrieved(
    retrieved: Sequence[Retrieved],
    selections: Sequence[Hit],
    budget: int,
    *,
    limit: int = DEFAULT_LIMIT,
    count: TokenCounter = estimate_tokens,
) -> Context:
    """The selections, then the best hits, as one context. Selections already have their path prefix."""
    hits = [with_path_prefix(hit, one.prefix) for one in retrieved for hit in one.answer.hits]
    if len(retrieved) > 1:
        hits.sort(key=lambda hit: -hit.score)

    @cache
    def lines_of(path: str) -> Mapping[int, str]:
        for one in retrieved:
            if path.startswith(one.prefix) and (chunks := one.snapshot.rows.file_chunks(path[len(one.prefix) :])):
                return _file_lines(chunk for _, chunk in chunks)
        return {}

    return pack((*selections, *hits[:limit]), budget, count=count, lines_of=lines_of)


def with_path_prefix(hit: Hit, prefix: str) -> Hit:
    """The hit with a prefix before its path."""
    if not prefix:
        return hit
    copies = tuple(replace(copy, path=prefix + copy.path) for copy in hit.copies)
    return replace(hit, chunk=replace(hit.chunk, path=prefix + hit.chunk.path), copies=copies)


def _file_lines(chunks: Iterable[Chunk]) -> dict[int, str]:
    """The lines of a file by number, without the blank lines between chunks."""
    lines: dict[int, str] = {}
    for chunk in chunks:
        if chunk.kind != "cell":
            for number, line in enumerate(LINE_BREAK.split(chunk.text), chunk.start_line):
                lines.setdefault(number, line)
    return lines
