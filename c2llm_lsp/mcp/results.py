"""Tool results: Markdown for the model, with the freshness at its top.

The same locations as data go into the result's `_meta`, for programs. Some clients, VS Code among them, would hand structured
content to the model in place of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import MAX_WAIT_SECONDS
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.render.escape import escape_line
from retrieval.errors import C2llmError
from retrieval.types import ChunkKind, ContentType, Filters

T = TypeVar("T")

# Parameters that several tools share.
Limit = Annotated[int, Field(ge=1, le=50, description="Number of results")]
Languages = Annotated[list[str] | None, Field(description="Only these languages, such as python")]
Paths = Annotated[
    list[str] | None, Field(description="Only paths that match these globs, as in .gitignore; a leading ! excludes")
]
Kinds = Annotated[list[ChunkKind] | None, Field(description="Only these kinds of chunk")]
Content = Annotated[list[ContentType] | None, Field(description="Only these types of files")]
Grep = Annotated[str, Field(description="Only code that matches this regular expression (RE2's syntax)")]
Wait = Annotated[
    float,
    Field(
        ge=0,
        le=60,
        description="Seconds to wait until changed files are indexed; then the answer comes from what is indexed",
    ),
]
WAIT = MAX_WAIT_SECONDS
DATA = "c2llm/answer"  # the key in `_meta`
READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)  # the tools only read the index


def make_filters(
    languages: list[str] | None,
    paths: list[str] | None,
    kinds: list[ChunkKind] | None,
    content: list[ContentType] | None,
    grep: str,
) -> Filters:
    return Filters(tuple(languages or ()), tuple(paths or ()), tuple(kinds or ()), tuple(content or ()), grep)


def tool_result(text: str, data: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], _meta={DATA: data})


async def run_query(query: Callable[[], T], to_result: Callable[[T], CallToolResult]) -> CallToolResult:
    """Run the query on another thread. A user error becomes a sentence that says what to do."""
    try:
        return to_result(await anyio.to_thread.run_sync(query, abandon_on_cancel=True))
    except (C2llmError, OSError) as error:
        return CallToolResult(content=[TextContent(type="text", text=escape_line(error_message(error)))], is_error=True)
