"""Tool results: Markdown for the model, with the freshness at its top.

The same locations as data go into the result's `_meta`, for programs. Some clients, VS Code among them, would hand structured
content to the model in place of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.types import CallToolResult, ListRootsRequest, ListRootsResult, TextContent, ToolAnnotations
from pydantic import Field

from c2llm_lsp.mcp.live_workspace import MAX_WAIT_SECONDS, LiveWorkspace
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.render.escape import escape_line
from retrieval.errors import C2llmError
from retrieval.types import ChunkKind, ContentType, Filters, Hit

T = TypeVar("T")
ToolContext = Context[Any, Any]
PROGRESS_SECONDS = 1.0  # between two reports of how far the index is

# Parameters that several tools share.
Limit = Annotated[int, Field(ge=1, le=50, description="Number of results")]
SnippetLines = Annotated[int | None, Field(ge=0, description="Lines of code per result at most; 0: places only")]
Repeat = Annotated[bool, Field(description="Show code again that an earlier answer showed")]
Languages = Annotated[list[str] | None, Field(description="Only these languages, such as python")]
Paths = Annotated[list[str] | None, Field(description="Only paths that match these globs; ! in front excludes")]
Kinds = Annotated[list[ChunkKind] | None, Field(description="Only these kinds of chunk")]
Content = Annotated[list[ContentType] | None, Field(description="Only these types of file")]
Grep = Annotated[str, Field(description="Only code that matches this regular expression (RE2)")]
Wait = Annotated[
    float,
    Field(
        ge=0,
        le=60,
        description="Seconds to wait for changed files at most",
    ),
]
WorkspaceName = Annotated[str, Field(description="Which project: its path or the name of its folder")]
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


@dataclass(frozen=True, slots=True)
class Call:
    """What a tool is called with, whichever it is."""

    workspaces: Workspaces
    context: ToolContext
    workspace: str = ""
    wait_seconds: float | None = None  # for changed files; None answers at once, without a look at the files
    snippet_lines: int | None = None
    repeat: bool = False

    def is_shown(self, root: Path, hit: Hit) -> bool:
        """Whether the code of a result stands further up in this conversation, so that its place is enough."""
        if self.snippet_lines is not None and hit.text.count("\n") >= self.snippet_lines:
            return False  # it is not shown whole
        headers = self.context.headers
        conversation = "stdio" if headers is None else headers.get("mcp-session-id", "")
        return self.workspaces.shown.show(conversation, root, hit) and not self.repeat


async def run_query(
    call: Call, query: Callable[[LiveWorkspace], T], to_result: Callable[[LiveWorkspace, T], CallToolResult]
) -> CallToolResult:
    """Run the query on another thread, and report how far the index is meanwhile. A user error becomes a sentence that says
    what to do.
    """
    try:
        root = call.workspaces.find(call.workspace, await _offered(call))
    except C2llmError as error:
        return _failed(error)

    def run() -> CallToolResult:
        try:
            with call.workspaces.use(root) as live:
                if call.wait_seconds is None:
                    return to_result(live, query(live))
                return to_result(live, live.query(lambda _: query(live), call.wait_seconds))
        except (C2llmError, OSError) as error:
            return _failed(error)

    async with anyio.create_task_group() as group:
        group.start_soon(_report_progress, call, root)
        result = await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
        group.cancel_scope.cancel()
    return result


async def _report_progress(call: Call, root: Path) -> None:
    """For clients that asked for it; to others nothing is sent."""
    shown = None
    while True:
        await anyio.sleep(PROGRESS_SECONDS)
        progress = call.workspaces.progress(root)
        if progress and progress != shown:
            shown = progress
            await call.context.report_progress(progress.done, progress.total, progress.stage)


async def _offered(call: Call) -> list[Path]:
    """The folders that the client has open, if the server was started without any and the client tells them."""
    capabilities = call.context.client_capabilities
    if call.workspaces.roots or capabilities is None or capabilities.roots is None:
        return []
    try:
        answer = await call.context.session.send_request(ListRootsRequest(), ListRootsResult)
    except (MCPError, NoBackChannelError):
        return []
    paths = [
        Path(url2pathname(urlsplit(str(root.uri)).path)) for root in answer.roots if str(root.uri).startswith("file:")
    ]
    return [path for path in paths if path.is_dir() and path not in (Path.home(), Path(path.anchor))]


def _failed(error: Exception) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=escape_line(error_message(error)))], is_error=True)
