"""The tool `context`: code for a query or around some lines, packed into a token budget."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp import savings
from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import (
    READ_ONLY,
    WAIT,
    Call,
    Content,
    Grep,
    Kinds,
    Languages,
    Paths,
    ToolContext,
    Wait,
    WorkspaceName,
    make_filters,
    run_query,
    tool_result,
)
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.json_output import context_locations_dict
from c2llm_lsp.render.markdown import context_markdown
from retrieval.errors import QueryError
from retrieval.rag import DEFAULT_BUDGET, ContextRequest, PackedContext
from retrieval.rag import context as collect_context
from retrieval.types import Location


def register(server: MCPServer, workspaces: Workspaces) -> None:
    @server.tool(title="Collect Context", annotations=READ_ONLY)
    async def context(
        call_context: ToolContext,
        query: Annotated[str, Field(description="The question, in words; optional if path is given")] = "",
        path: Annotated[str, Field(description="A file of the project that the query is about")] = "",
        start_line: Annotated[int, Field(ge=0, description="First line in that file, from 1")] = 0,
        end_line: Annotated[int, Field(ge=0, description="Last line; if absent the definition at start_line")] = 0,
        budget: Annotated[int, Field(ge=100, le=100_000, description="Token budget (estimated)")] = DEFAULT_BUDGET,
        limit: Annotated[int | None, Field(ge=1, le=200, description="Number of results to pack")] = None,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        content: Content = None,
        grep: Grep = "",
        wait_seconds: Wait = WAIT,
        workspace: WorkspaceName = "",
    ) -> CallToolResult:
        """Collect the code of this project that answers a query, or that is related to some lines of a file.

        One text within a token budget: the best code in full, lower results as outlines, adjacent ones merged, each headed by
        path:line-line. To understand a whole topic, call it once instead of many searches and reads.
        """
        filters = make_filters(languages, paths, kinds, content, grep)

        def run(live: LiveWorkspace) -> PackedContext:
            if path and start_line < 1:
                raise QueryError(f"Give the lines of {path}, counted from 1.")
            location = Location(live.relative_path(path), start_line, end_line or start_line) if path else None
            return collect_context(live.workspace, ContextRequest(query, location, filters, limit, budget))

        return await run_query(Call(workspaces, call_context, workspace, wait_seconds), run, _result)


def _result(live: LiveWorkspace, packed: PackedContext) -> CallToolResult:
    text = context_markdown(packed, live.errors)
    if live.counts_savings:
        savings.count(text, live.root, (span.path for span in packed.context.spans))
    return tool_result(text, context_locations_dict(packed, root=str(live.root), notes=live.errors))
