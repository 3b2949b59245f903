"""The tool `find_similar`: code like some code, in the project or at hand."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import Live
from c2llm_lsp.mcp.results import READS, WAIT, Kinds, Languages, Limit, Paths, Wait, answered, filters
from c2llm_lsp.mcp.search import tell
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.types import Answer, SimilarRequest


def register(server: MCPServer, live: Live) -> None:
    @server.tool(title="Find Similar Code", annotations=READS)
    async def find_similar(
        path: Annotated[
            str, Field(description="A file of the project, with line; or leave both out and give code")
        ] = "",
        line: Annotated[int, Field(ge=0, description="A line of the function or class to compare with, from 1")] = 0,
        code: Annotated[
            str, Field(description="A piece of code to compare with, which need not be in the project")
        ] = "",
        limit: Limit = 10,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        wait_seconds: Wait = WAIT,
    ) -> CallToolResult:
        """Find code of this project that is like a function or class of it, or like a piece of code that you have.

        Before writing a helper, see whether there is one; before a change, what else has to change alike. Best first, each
        with path:line-line and the code.
        """
        wanted = filters(languages, paths, kinds)

        def ask(workspace: Workspace) -> Answer:
            if bool(path) == bool(code.strip()):
                raise QueryError("Give either path and line, or code.")
            if path and line < 1:
                raise QueryError(f"Give the line in {path}, counted from 1.")
            if path:
                return workspace.similar(SimilarRequest(live.inside(path), line, filters=wanted, limit=limit))
            return workspace.similar(SimilarRequest(text=code, filters=wanted, limit=limit))

        return await answered(partial(live.ask, ask, wait_seconds), partial(tell, live))
