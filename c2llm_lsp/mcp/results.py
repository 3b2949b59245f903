"""From what a tool found to what an assistant gets: Markdown to read, with the freshness at its top.

The same places as data go into the result's `_meta`, for programs. As structured content some clients, VS Code among them,
would hand them to the model in place of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import PATIENCE
from c2llm_lsp.render.error_messages import error_message
from retrieval.errors import C2llmError
from retrieval.types import ChunkKind, Filters

T = TypeVar("T")

# What several tools take, said once.
Limit = Annotated[int, Field(ge=1, le=50, description="How many places at most")]
Languages = Annotated[list[str] | None, Field(description="Only these languages, such as python")]
Paths = Annotated[
    list[str] | None, Field(description="Only paths that match these globs, as in .gitignore; one after ! leaves out")
]
Kinds = Annotated[list[ChunkKind] | None, Field(description="Only these kinds of code")]
Wait = Annotated[
    float,
    Field(ge=0, le=60, description="Seconds to wait until changed files are indexed; after them what is there answers"),
]
WAIT = PATIENCE
DATA = "c2llm/answer"  # the key in `_meta`
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)  # of the index; none changes a file


def filters(languages: list[str] | None, paths: list[str] | None, kinds: list[ChunkKind] | None) -> Filters:
    return Filters(tuple(languages or ()), tuple(paths or ()), tuple(kinds or ()))


def told(text: str, data: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], _meta={DATA: data})


async def answered(ask: Callable[[], T], tell: Callable[[T], CallToolResult]) -> CallToolResult:
    """Ask on another thread. What is the asker's mistake is told in a sentence that says what to do."""
    try:
        return tell(await anyio.to_thread.run_sync(ask, abandon_on_cancel=True))
    except (C2llmError, OSError) as error:
        return CallToolResult(content=[TextContent(type="text", text=error_message(error))], is_error=True)
