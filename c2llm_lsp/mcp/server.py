"""The server: its tools, and its life on standard input and output."""

from __future__ import annotations

from mcp.server import MCPServer

from c2llm_lsp import __version__
from c2llm_lsp.mcp import context, find_similar, index_status, search
from c2llm_lsp.mcp.live_workspace import Live

INSTRUCTIONS = (
    "Finds code of the project {name} by meaning, offline, from an index that follows the files on disk. Prefer it to "
    "listing folders and guessing names. Each answer says how current it is; what is pending is found by asking again."
)


def build(live: Live) -> MCPServer:
    server = MCPServer(
        "c2llm",
        title="C2LLM Code Search",
        instructions=INSTRUCTIONS.format(name=live.root.name),
        version=__version__,
        log_level="WARNING",  # what is told at INFO holds what was asked
    )
    for tool in (search, find_similar, context, index_status):
        tool.register(server, live)
    return server


def serve(live: Live) -> None:
    """Until standard input ends."""
    try:
        build(live).run("stdio")
    finally:
        live.close()
