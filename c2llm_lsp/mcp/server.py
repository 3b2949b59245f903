"""The MCP server and its tools, on standard input and output."""

from __future__ import annotations

from mcp.server import MCPServer

from c2llm_lsp import __version__
from c2llm_lsp.mcp import context, find_similar, index_status, search
from c2llm_lsp.mcp.live_workspace import LiveWorkspace
from c2llm_lsp.render.escape import escape_line

INSTRUCTIONS = (
    "Finds code of the project {name} by meaning, offline, from an index that follows the files on disk. Prefer it to "
    "listing folders and guessing names. Each answer says how current it is; results for pending files come with a later call."
)


def build(live: LiveWorkspace) -> MCPServer:
    server = MCPServer(
        "c2llm",
        title="C2LLM Code Search",
        instructions=INSTRUCTIONS.format(name=escape_line(live.root.name)),
        version=__version__,
        log_level="WARNING",  # messages at INFO contain the queries
    )
    for tool in (search, find_similar, context, index_status):
        tool.register(server, live)
    return server


def serve(live: LiveWorkspace) -> None:
    """Serve until standard input closes."""
    try:
        build(live).run("stdio")
    finally:
        live.close()
