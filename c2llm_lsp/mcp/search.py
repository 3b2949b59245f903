"""The tool `search`: semantic code search."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import (
    READ_ONLY,
    WAIT,
    Content,
    Grep,
    Kinds,
    Languages,
    Limit,
    Paths,
    Wait,
    make_filters,
    run_query,
    tool_result,
)
from c2llm_lsp.render.json_output import locations_dict
from c2llm_lsp.render.markdown import answer_markdown
from retrieval.engine import Workspace
from retrieval.types import Answer, SearchRequest


def register(server: MCPServer, live: LiveWorkspace) -> None:
    @server.tool(title="Search Code by Meaning", annotations=READ_ONLY)
    async def search(
        query: Annotated[str, Field(description="What the code does, in words, or a name")],
        limit: Limit = 10,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        content: Content = None,
        grep: Grep = "",
        wait_seconds: Wait = WAIT,
    ) -> CallToolResult:
        """Search the code of this project by meaning, words and names together, best first.

        For "where is …" and "how does this project …", if the exact name is unknown; for literal text a text search is better.
        Returns path:line-line, kind, name and code of each result, and how current the index is.
        """
        filters = make_filters(languages, paths, kinds, content, grep)

        def run(workspace: Workspace) -> Answer:
            return workspace.search(SearchRequest(query, filters, limit, highlight=True))

        return await run_query(partial(live.query, run, wait_seconds), partial(answer_result, live))


def answer_result(live: LiveWorkspace, answer: Answer) -> CallToolResult:
    return tool_result(
        answer_markdown(answer, live.errors), locations_dict(answer, root=str(live.root), notes=live.errors)
    )
