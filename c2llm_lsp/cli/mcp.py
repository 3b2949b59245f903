"""`c2llm mcp`: the tools for assistants, which their programs start."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, Target, guarded, locate
from retrieval.errors import MissingExtraError, WorkspaceError

app = typer.Typer(add_completion=False)


TOKEN_VARIABLE = "C2LLM_TOKEN"
HTTP_HELP = (
    "Serve many assistants on this port of this machine, over streamable HTTP; 0 takes a free one. The address is printed with "
    "the token that clients must show as Authorization: Bearer TOKEN. C2LLM_TOKEN sets the token."
)


@app.command()
@guarded
def mcp(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="The workspaces; without one the repository around the current directory, or what the assistant has open.",
        ),
    ] = None,
    http: Annotated[int | None, typer.Option("--http", metavar="PORT", min=0, max=65535, help=HTTP_HELP)] = None,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Serve assistants over the Model Context Protocol: search, find_similar, context, structure, index_status.

    An assistant starts it and speaks to it on standard input and output; it ends with it. With --http one process serves
    many assistants. After 15 minutes without a question the model and the index leave the memory until the next one.
    """
    try:
        from c2llm_lsp.mcp.server import serve, serve_http
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "pydantic", "anyio"):
            raise
        raise MissingExtraError("c2llm mcp", "mcp") from None
    from c2llm_lsp.mcp.live_workspace import LiveWorkspace
    from c2llm_lsp.mcp.workspaces import Workspaces

    targets = _targets(paths, quiet, encoder)

    def open_workspace(root: Path) -> LiveWorkspace:
        target = targets.get(root) or locate(root, quiet=True, encoder=encoder)
        return LiveWorkspace(target.root, target.settings)

    workspaces = Workspaces(tuple(targets), open_workspace)
    if http is not None:
        token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)
        serve_http(workspaces, http, token, lambda port: _announce(port, token))
        return FOUND
    if sys.stdin.isatty():
        typer.echo(
            "An assistant should start this: it speaks MCP on standard input and output. Ctrl-D ends it.", err=True
        )
    serve(workspaces)
    return FOUND


def _targets(paths: list[Path] | None, quiet: bool, encoder: str | None) -> dict[Path, Target]:
    """The workspaces that are served, by root. Without PATH and outside every project there are none: the assistant tells
    later which it has open.
    """
    try:
        wanted: list[Path | None] = [*paths] if paths else [None]
        found = [locate(path, quiet=quiet, encoder=encoder) for path in wanted]
    except WorkspaceError:
        if paths:
            raise
        found = []
    return {target.root: target for target in found}


def _announce(port: int, token: str) -> None:
    """One line of JSON, for whoever started the server."""
    shown = {} if os.environ.get(TOKEN_VARIABLE) else {"token": token}
    typer.echo(json.dumps({"url": f"http://127.0.0.1:{port}/mcp", **shown}))
    sys.stdout.flush()
