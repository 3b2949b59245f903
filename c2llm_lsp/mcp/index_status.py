"""The tool `index_status`: what is indexed and what is running."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mcp.server import MCPServer
from mcp.types import CallToolResult

from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.mcp.results import READ_ONLY, Call, ToolContext, WorkspaceName, run_query, tool_result
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.freshness import index_summary
from c2llm_lsp.render.json_output import freshness_dict
from retrieval.engine import Status, Workspace
from retrieval.types import Freshness


def register(server: MCPServer, workspaces: Workspaces) -> None:
    @server.tool(title="Index Status", annotations=READ_ONLY)
    async def index_status(context: ToolContext, workspace: WorkspaceName = "") -> CallToolResult:
        """How current the index of this project is: files, languages, pending work, running job, errors."""
        # The current state: no scan, no waiting.
        return await run_query(
            Call(workspaces, context, workspace),
            lambda live: _status(live.workspace),
            lambda live, result: _result(live, *result),
        )


def _status(workspace: Workspace) -> tuple[Status, Freshness]:
    return workspace.status(), workspace.freshness()


def _result(live: LiveWorkspace, status: Status, now: Freshness) -> CallToolResult:
    progress = live.progress
    notes = (*status.notes, *live.errors)
    data: dict[str, Any] = {
        "root": str(live.root),
        "freshness": freshness_dict(now),
        "state": live.state,
        "progress": asdict(progress) if progress else None,
        "work": asdict(progress) if progress else None,  # the earlier name of "progress"
        "encoder": status.encoder,
        "languages": status.languages,
        "skipped": status.skipped,
        "writer_pid": status.writer_pid,
        "notes": list(notes),
    }
    lines = [f"Workspace: {live.root}", index_summary(now)]
    if progress:
        lines.append(f"Now: {progress.stage}, {progress.done:,} of {progress.total:,}.")
    lines.append(f"Encoder: {status.encoder or 'none yet'}.")
    for title, counts in (("Chunks by language", status.languages), ("Files left out", status.skipped)):
        if counts:
            lines.append(f"{title}: {_counts(counts)}.")
    return tool_result("\n".join(map(escape_line, (*lines, *notes))), data)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
