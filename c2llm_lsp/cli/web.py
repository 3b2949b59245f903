"""`c2llm web`: search, heat-map and a map of the repository in a browser on this machine."""

from __future__ import annotations

import os
import secrets
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, locate, open_workspace, remark, tell
from retrieval.errors import MissingExtraError

app = typer.Typer(add_completion=False)
TOKEN_VARIABLE = "C2LLM_TOKEN"


@app.command()
@guarded
def web(
    path: options.WorkspacePath = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 0,
    results: options.Limit = None,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Search in a browser: results, where the model looks, a map of the repository, near-duplicates.

    It serves this machine only and prints the address to open, which has a token; C2LLM_TOKEN is that token where it is set.
    For a remote machine forward the port: ssh -L 8421:127.0.0.1:8421 HOST c2llm web --port 8421. Ctrl-C ends it.
    """
    try:
        from c2llm_lsp.web.run_server import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "httptools"):
            raise
        raise MissingExtraError("c2llm web", "serve") from None
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)

    def announce(port: int) -> None:
        shown = "" if os.environ.get(TOKEN_VARIABLE) else f"#token={token}"
        tell(f"http://127.0.0.1:{port}/{shown}")
        if not quiet:
            remark("Open this address in a browser; Ctrl-C ends the server.")

    target = locate(path, quiet=quiet, encoder=encoder, results=results)
    with open_workspace(target) as workspace:
        run(workspace, target.settings, port, token, announce)
    return FOUND
