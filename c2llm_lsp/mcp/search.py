"""The tool `search`: code by what it does."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import Live
from c2llm_lsp.mcp.results import READS, WAIT, Kinds, Languages, Limit, Paths, Wait, answered, filters, told
from c2llm_lsp.render.json_output import locations_dict
from c2llm_lsp.render.markdown import answer_markdown
from retrieval.engine import Workspace
from retrieval.types import Answer, SearchRequest


def register(server: MCPServer, live: Live) -> None:
    @server.tool(title="Search Code by Meaning", annotations=READS)
    async def search(
        query: Annotated[str, Field(description="What the code does, in words, or a name")],
        limit: Limit = 10,
        languages: Languages = None,
        paths: Paths = None,
        kinds: Kinds = None,
        wait_seconds: Wait = WAIT,
    ) -> CallToolResult:
        """Find places in the code of this project by meaning, words and names together, best first.

        For "where is …" and "how does this project …", when the exact name is not known; for a known literal text a text
        search is better. Returns path:line-line, what it is, and the code, and says how current the index is.
        """
        wanted = filters(languages, paths, kinds)

        def ask(workspace: Workspace) -> Answer:
            return workspace.search(SearchRequest(query, wanted, limit, highlight=True))

        return await answered(partial(live.ask, ask, wait_seconds), partial(tell, live))


def tell(live: Live, answer: Answer) -> CallToolResult:
    return told(answer_markdown(answer, live.trouble), locations_dict(answer, root=str(live.root), notes=live.trouble))
