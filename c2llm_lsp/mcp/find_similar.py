"""The tool `find_similar`: code similar to a definition of the project or to given code."""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import (
    READ_ONLY,
    WAIT,
    Call,
    Content,
    Grep,
    Kinds,
    Languages,
    Limit,
    Paths,
    Repeat,
    SnippetLines,
    ToolContext,
    Wait,
    WorkspaceName,
    make_filters,
    run_query,
)
from c2llm_lsp.mcp.search import answer_result
from c2llm_lsp.mcp.workspaces import Workspaces
from retrieval.errors import QueryError
from retrieval.types import Answer, SimilarRequest


def register(server: MCPServer, workspaces: Workspaces) -> None:
    @server.tool(title="Find Similar Code", annotations=READ_ONLY)
    async def find_similar(
        context: ToolContext,
        path: Annotated[str, Field(description="A file of the project, together with line; or give code instead")] = "",
        line: Annotated[int, Field(ge=0, description="A line of the function or class to compare with, from 1")] = 0,
        code: Annotated[str, Field(description="Code to compare with; need not be in the project")] = "",
        limit: Limit = 10,
        snippet_lines: SnippetLines = None,
        repeat: Repeat = False,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        content: Content = None,
        grep: Grep = "",
        wait_seconds: Wait = WAIT,
        workspace: WorkspaceName = "",
    ) -> CallToolResult:
        """Find code of this project that is similar to one of its functions or classes, or to code that you give.

        Before writing a helper, check whether one exists; before a change, find what else needs the same change. Best first,
        each with path:line-line and the code.
        """
        call = Call(workspaces, context, workspace, wait_seconds, snippet_lines, repeat)
        filters = make_filters(languages, paths, kinds, content, grep)

        def run(live: LiveWorkspace) -> Answer:
            if bool(path) == bool(code.strip()):
                raise QueryError("Give either path and line, or code.")
            if path and line < 1:
                raise QueryError(f"Give the line in {path}, counted from 1.")
            if path:
                return live.workspace.similar(
                    SimilarRequest(live.relative_path(path), line, filters=filters, limit=limit)
                )
            return live.workspace.similar(SimilarRequest(text=code, filters=filters, limit=limit))

        return await run_query(call, run, lambda live, answer: answer_result(live, answer, call))
