"""The tool `search`: semantic code search."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from mcp.server import MCPServer
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from c2llm_lsp import savings
from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import (
    DATA,
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
    tool_result,
)
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.escape import code_span
from c2llm_lsp.render.json_output import locations_dict
from c2llm_lsp.render.markdown import answer_markdown
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.types import Answer, SearchRequest

MAX_QUERIES = 10  # of one call


def register(server: MCPServer, workspaces: Workspaces) -> None:
    @server.tool(title="Search Code by Meaning", annotations=READ_ONLY)
    async def search(
        context: ToolContext,
        query: Annotated[
            str | list[str], Field(description="What the code does, in words, or a name; several at once")
        ],
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
        """Search the code of this project by meaning, words and names together, best first.

        For "where is …" and "how does this project …", if the exact name is unknown; for literal text a text search is better.
        Returns path:line-line, kind, name and code of each result, and how current the index is.
        """
        call = Call(workspaces, context, workspace, wait_seconds, snippet_lines, repeat)
        filters = make_filters(languages, paths, kinds, content, grep)
        queries = [query] if isinstance(query, str) else query

        def run(live: LiveWorkspace) -> list[Answer]:
            if not 0 < len(queries) <= MAX_QUERIES:
                raise QueryError(f"Give 1 to {MAX_QUERIES} queries.")
            requests = [SearchRequest(text, filters, limit, highlight=True) for text in queries]
            return [live.workspace.search(request) for request in requests]

        def result(live: LiveWorkspace, answers: list[Answer]) -> CallToolResult:
            if isinstance(query, str):
                return answer_result(live, answers[0], call)
            results = [answer_result(live, answer, call) for answer in answers]
            texts = [part.text for each in results for part in each.content if isinstance(part, TextContent)]
            titled = [f"# {code_span(text)}\n\n{answer}" for text, answer in zip(queries, texts, strict=True)]
            data = [(each.meta or {})[DATA] for each in results]
            return tool_result("\n\n".join(titled), {"root": str(live.root), "answers": data})

        return await run_query(call, run, result)


def answer_result(live: LiveWorkspace, answer: Answer, call: Call) -> CallToolResult:
    notes = live.errors if answer.hits else (*live.errors, *_left_out(live.workspace))
    text = answer_markdown(answer, notes, call.snippet_lines, partial(call.is_shown, live.root))
    if live.counts_savings:
        savings.count(text, live.root, (hit.chunk.path for hit in answer.hits))
    return tool_result(text, locations_dict(answer, root=str(live.root), notes=notes))


def _left_out(workspace: Workspace) -> tuple[str, ...]:
    """What was not searched, for an answer that found nothing."""
    skipped = workspace.status().skipped
    counts = ", ".join(f"{name} {count:,}" for name, count in skipped.items() if count)
    return (f"Files that are not in the index: {counts}.",) if counts else ()
