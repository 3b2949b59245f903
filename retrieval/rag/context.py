"""Context for a query or a selection: search one or several workspaces and pack the hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from retrieval.engine import Workspace
from retrieval.engine.explain import chunk_at
from retrieval.errors import QueryError
from retrieval.rag.packing import ASKS_FOR_TESTS, DEFAULT_OPTIONS, Context, PackOptions, is_test_path, pack
from retrieval.rag.related import related
from retrieval.rag.spans import TextFormat
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens
from retrieval.rag.units import Unit, file_lines
from retrieval.search import Snapshot
from retrieval.types import NO_FILTERS, Answer, Chunk, Filters, Freshness, Hit, Location, SearchRequest, SimilarRequest

DEFAULT_BUDGET = (
    4_000  # tokens: a dozen functions and an outline of the rest; small compared with any model's context window
)
# Hits to pack if none are given: of each, something is shown for some 40 tokens.
MIN_LIMIT, MAX_LIMIT, TOKENS_PER_HIT = 12, 100, 40


def limit_for(budget: int) -> int:
    """How many hits to pack into a budget."""
    return max(MIN_LIMIT, min(MAX_LIMIT, budget // TOKENS_PER_HIT))


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """What a context is for: a query, lines of a file (a single line selects the chunk around it), or both."""

    query: str = ""
    location: Location | None = None
    filters: Filters = NO_FILTERS
    limit: int | None = None  # hits to pack; as many as the budget has room for
    budget: int = DEFAULT_BUDGET
    text_format: TextFormat = "markdown"


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
    query: str = ""


def context(
    workspace: Workspace, request: ContextRequest | str, *, count: TokenCounter = estimate_tokens
) -> PackedContext:
    """The context for a query, for some lines, or for a query about some lines; a string is a query with the defaults.

    Raises QueryError, also where the file of the lines is not indexed.
    """
    if isinstance(request, str):
        request = ContextRequest(request)
    if request.budget < 1:
        raise QueryError(f"The budget is {request.budget:,} tokens; give a number from 1, such as {DEFAULT_BUDGET}.")
    lines, filters = request.location, request.filters
    limit = limit_for(request.budget) if request.limit is None else request.limit
    selections = (selection(workspace, lines.path, lines.first_line, lines.last_line),) if lines else ()
    if request.query.strip() or not selections:
        retrieved = retrieve(workspace, request.query, limit=limit, filters=filters)
    else:
        retrieved = retrieve_similar(workspace, selections[0], limit=limit, filters=filters)
    answer = retrieved.answer
    options = PackOptions(count, request.text_format, asks_for_tests(request.query, selections))
    packed = pack_retrieved([retrieved], selections, request.budget, options, limit=limit)
    return PackedContext(packed, answer.freshness, answer.encoder, answer.seconds, answer.notes)


def retrieve(
    workspace: Workspace, query: str, *, limit: int, filters: Filters = NO_FILTERS, prefix: str = ""
) -> Retrieved:
    """Hits for a query, to be packed. Raises QueryError."""
    snapshot, _ = workspace.snapshot()
    # Salient lines by meaning take some milliseconds a hit; more hits have those that have the query's words.
    request = SearchRequest(query, filters, limit, highlight=limit <= MIN_LIMIT)
    return Retrieved(workspace.search(request), snapshot, prefix, query)


def retrieve_similar(
    workspace: Workspace, selected: Hit, *, limit: int, filters: Filters = NO_FILTERS, prefix: str = ""
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
    lines = file_lines(overlapping)
    start, end = max(start, overlapping[0].start_line), min(end, overlapping[-1].end_line)
    return Hit(chunk, start, end, "\n".join(lines.get(n, "") for n in range(start, end + 1)), 1.0)


def asks_for_tests(query: str, selections: Sequence[Hit] = ()) -> bool:
    """Whether tests stand where their rank says: they are asked for, by word or by a selection in one."""
    return bool(ASKS_FOR_TESTS.search(query)) or any(
        is_test_path(hit.chunk.path, hit.chunk.language) for hit in selections
    )


def pack_retrieved(
    retrieved: Sequence[Retrieved],
    selections: Sequence[Hit],
    budget: int,
    options: PackOptions = DEFAULT_OPTIONS,
    *,
    limit: int | None = None,
) -> Context:
    """The selections, then the best hits, as one context. Selections already have their path prefix."""
    hits = [with_path_prefix(hit, one.prefix) for one in retrieved for hit in one.answer.hits]
    if len(retrieved) > 1:
        hits.sort(key=lambda hit: -hit.score)
    hits = [*selections, *hits[: limit_for(budget) if limit is None else limit]]

    @cache
    def chunks_of(path: str, first: int, last: int) -> Sequence[Chunk]:
        for one in retrieved:
            if path.startswith(one.prefix):
                chunks = one.snapshot.rows.file_chunks(path[len(one.prefix) :], first, last)
                if chunks:
                    return [replace(chunk, path=path) if one.prefix else chunk for _, chunk in chunks]
        return ()

    more: list[Unit] = []
    if len(retrieved) == 1:
        one = retrieved[0]
        more = related(hits, one.snapshot, chunks_of, one.prefix, one.query)
    return pack(hits, budget, options, chunks_of=chunks_of, related=more)


def with_path_prefix(hit: Hit, prefix: str) -> Hit:
    """The hit with a prefix before its path."""
    if not prefix:
        return hit
    copies = tuple(replace(copy, path=prefix + copy.path) for copy in hit.copies)
    return replace(hit, chunk=replace(hit.chunk, path=prefix + hit.chunk.path), copies=copies)
