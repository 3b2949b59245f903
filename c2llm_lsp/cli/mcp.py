"""`c2llm mcp`: the tools for assistants, which their programs start."""

from __future__ import annotations

import sys

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, locate
from retrieval.errors import MissingExtraError

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def mcp(path: options.WorkspacePath = None, encoder: options.Encoder = None, quiet: options.Quiet = False) -> int:
    """Serve an assistant over the Model Context Protocol: search, find_similar, context, index_status.

    Assistants start it and speak to it on standard input and output; it ends with them.
    """
    try:
        from c2llm_lsp.mcp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "pydantic", "anyio"):
            raise
        raise MissingExtraError("c2llm mcp", "mcp") from None
    from c2llm_lsp.mcp.live_workspace import LiveWorkspace

    target = locate(path, quiet=quiet, encoder=encoder)
    if sys.stdin.isatty():
        typer.echo(
            "An assistant should start this: it speaks MCP on standard input and output. Ctrl-D ends it.", err=True
        )
    serve(LiveWorkspace(target.root, target.settings))
    return FOUND
