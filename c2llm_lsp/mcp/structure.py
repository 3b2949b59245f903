"""The tool `structure`: who calls a symbol, what it calls, where it is mentioned; outlines of files and folders."""

from __future__ import annotations

from typing import Annotated, Literal

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp import savings
from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import (
    READ_ONLY,
    WAIT,
    Call,
    Paths,
    ToolContext,
    Wait,
    WorkspaceName,
    make_filters,
    run_query,
    tool_result,
)
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.freshness import index_summary
from c2llm_lsp.render.symbols import (
    outline_dict,
    outline_lines,
    outline_summary,
    symbol_dict,
    symbol_notes,
    usage_line,
)
from retrieval.rag.token_estimate import estimate_tokens
from retrieval.structure import Relation, SymbolAnswer, SymbolRequest
from retrieval.structure.outline import Outline
from retrieval.types import Freshness, Location

_Found = SymbolAnswer | tuple[Outline, tuple[str, ...], Freshness]


def register(server: MCPServer, workspaces: Workspaces) -> None:
    @server.tool(title="Code Structure", annotations=READ_ONLY)
    async def structure(
        context: ToolContext,
        show: Annotated[Literal["callers", "callees", "references", "outline"], Field(description="What to show")],
        of: Annotated[
            str,
            Field(description="Name, Scope.name, or path:line inside a definition; for outline a path, all if absent"),
        ] = "",
        limit: Annotated[int, Field(ge=1, le=1_000, description="Places at most")] = 30,
        budget: Annotated[int, Field(ge=1, le=100_000, description="Tokens of an outline")] = 2_000,
        paths: Paths = None,
        wait_seconds: Wait = WAIT,
        workspace: WorkspaceName = "",
    ) -> CallToolResult:
        """Show what calls a symbol, what it calls, or every place of it; or outline a file, a folder or the project.

        Names are resolved by scope and imports, without types: each place is marked certain, likely or by name.
        """

        def run(live: LiveWorkspace) -> _Found:
            symbols = live.workspace.symbols
            if show == "outline":
                path = live.relative_path(of) if of else ""
                return *symbols.outline(path, budget, estimate_tokens), symbols.freshness()
            return symbols.relate(_request(live, show, of, paths, limit))

        return await run_query(Call(workspaces, context, workspace, wait_seconds), run, _result)


def _request(live: LiveWorkspace, relation: Relation, of: str, paths: list[str] | None, limit: int) -> SymbolRequest:
    filters = make_filters(None, paths, None, None, "")
    path, _, line = of.rpartition(":")
    if path and line.isascii() and line.isdigit() and len(line) < 10:
        location = Location(live.relative_path(path), int(line), int(line))
        return SymbolRequest(relation, "", location, filters, limit)
    return SymbolRequest(relation, of, None, filters, limit)


def _result(live: LiveWorkspace, found: _Found) -> CallToolResult:
    root = str(live.root)
    if isinstance(found, SymbolAnswer):
        lines = [usage_line(usage, str) for usage in found.usages]
        notes, freshness, data = symbol_notes(found, str), found.freshness, symbol_dict(found, root=root)
        files = {usage.path for usage in found.usages}
    else:
        outlined, more, freshness = found
        lines, notes = outline_lines(outlined), [outline_summary(outlined), *more]
        data, files = outline_dict(outlined, more, freshness, root=root), {file.path for file in outlined.files}
    text = "\n".join([index_summary(freshness), *notes, *live.errors, "", *lines])
    if live.counts_savings:
        savings.count(text, live.root, files)
    return tool_result(text, data)
