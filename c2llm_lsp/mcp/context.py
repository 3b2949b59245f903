"""The tool `context`: what to read for a question or about some lines, packed into a budget of tokens."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import Live
from c2llm_lsp.mcp.results import READS, WAIT, Kinds, Languages, Limit, Paths, Wait, answered, filters, told
from c2llm_lsp.render.json_output import context_locations_dict
from c2llm_lsp.render.markdown import context_markdown
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.rag import (
    DEFAULT_BUDGET,
    DEFAULT_LIMIT,
    PackedContext,
    pack_retrieved,
    retrieve,
    retrieve_similar,
    selection,
)
from retrieval.types import Filters


def register(server: MCPServer, live: Live) -> None:
    @server.tool(title="Collect Context", annotations=READS)
    async def context(
        query: Annotated[str, Field(description="The question, in words; may be left out where path is given")] = "",
        path: Annotated[str, Field(description="A file of the project that the question is about")] = "",
        start_line: Annotated[int, Field(ge=0, description="Its first line in question, from 1")] = 0,
        end_line: Annotated[int, Field(ge=0, description="Its last; without it what stands at the first")] = 0,
        budget: Annotated[int, Field(ge=100, le=100_000, description="Tokens at most, by estimate")] = DEFAULT_BUDGET,
        limit: Limit = DEFAULT_LIMIT,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        wait_seconds: Wait = WAIT,
    ) -> CallToolResult:
        """Collect the code of this project that a question needs, or that belongs to some lines of a file.

        One text within a budget of tokens: the best places whole, others as outlines, neighbours merged, each headed by
        path:line-line. Ask it once instead of many searches and reads, when a whole topic is to be understood.
        """
        wanted = filters(languages, paths, kinds)
        lines = (start_line, end_line or start_line)

        def ask(workspace: Workspace) -> PackedContext:
            if path and start_line < 1:
                raise QueryError(f"Give the lines of {path}, counted from 1.")
            return collected(workspace, query, live.inside(path) if path else "", lines, budget, limit, wanted)

        return await answered(partial(live.ask, ask, wait_seconds), partial(_tell, live))


def _tell(live: Live, packed: PackedContext) -> CallToolResult:
    return told(
        context_markdown(packed, live.trouble), context_locations_dict(packed, root=str(live.root), notes=live.trouble)
    )


def collected(
    workspace: Workspace, query: str, path: str, lines: tuple[int, int], budget: int, limit: int, wanted: Filters
) -> PackedContext:
    """For a question, about lines, or for a question about lines. Raises QueryError."""
    chosen = (selection(workspace, path, *lines),) if path else ()
    if query.strip() or not chosen:
        found = retrieve(workspace, query, limit=limit, filters=wanted)
    else:
        found = retrieve_similar(workspace, chosen[0], limit=limit, filters=wanted)
    answer = found.answer
    return PackedContext(
        pack_retrieved([found], chosen, budget, limit=limit),
        answer.freshness,
        answer.encoder,
        answer.seconds,
        answer.notes,
    )
