"""The tool `index_status`: what is indexed, and what is going on."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from mcp.server import MCPServer
from mcp.types import CallToolResult

from c2llm_lsp.mcp.live_workspace import Live
from c2llm_lsp.mcp.results import READS, answered, told
from c2llm_lsp.render.freshness import index_summary
from c2llm_lsp.render.json_output import freshness_dict
from retrieval.engine import Status, Workspace
from retrieval.types import Freshness


def register(server: MCPServer, live: Live) -> None:
    @server.tool(title="Index Status", annotations=READS)
    async def index_status() -> CallToolResult:
        """How current the index of this project is: files, languages, what is pending, what is being done, what is wrong."""
        # As it stands: nothing is looked for first, and nothing waited for.
        return await answered(partial(_asked, live.workspace), lambda found: _tell(live, *found))


def _asked(workspace: Workspace) -> tuple[Status, Freshness]:
    return workspace.status(), workspace.freshness()


def _tell(live: Live, status: Status, now: Freshness) -> CallToolResult:
    work = live.work
    notes = (*status.notes, *live.trouble)
    data: dict[str, Any] = {
        "root": str(live.root),
        "freshness": freshness_dict(now),
        "state": live.state,
        "work": asdict(work) if work else None,
        "encoder": status.encoder,
        "languages": status.languages,
        "skipped": status.skipped,
        "writer_pid": status.writer_pid,
        "notes": list(notes),
    }
    lines = [f"Workspace: {live.root}", index_summary(now)]
    if work:
        lines.append(f"Now: {work.stage}, {work.done:,} of {work.total:,}.")
    lines.append(f"Encoder: {status.encoder or 'none yet'}.")
    for title, counts in (("Chunks by language", status.languages), ("Files left out", status.skipped)):
        if counts:
            lines.append(f"{title}: {_counts(counts)}.")
    return told("\n".join([*lines, *notes]), data)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
