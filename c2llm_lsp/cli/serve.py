"""`c2llm serve`: the language server, which editors start."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli.common import FOUND, guarded
from retrieval.errors import SettingsError
from retrieval.private_files import touch_private

app = typer.Typer(add_completion=False)
TOKEN_VARIABLE = "C2LLM_TOKEN"
TCP_HELP = (
    "Serve on this port of this machine; 0 takes a free one, which is printed with the token that a client must show in "
    "its initialization options. C2LLM_TOKEN sets the token."
)
LEVELS = ("debug", "info", "warning", "error")


@app.command()
@guarded
def serve(
    tcp: Annotated[
        int | None,
        typer.Option(
            "--tcp",
            metavar="PORT",
            min=0,
            max=65535,
            help=TCP_HELP,
        ),
    ] = None,
    stdio: Annotated[bool, typer.Option("--stdio", help="Serve on standard input and output, as without it.")] = False,
    log_file: Annotated[
        str | None, typer.Option("--log-file", help="Write the log here instead of to standard error.")
    ] = None,
    log_level: Annotated[str, typer.Option("--log-level", help=f"How much to log: {', '.join(LEVELS)}.")] = "warning",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the c2llm/ requests, and leave.")
    ] = False,
) -> int:
    """Serve an editor over the Language Server Protocol. Editors start it; it ends with them."""
    if tcp is not None and stdio:
        raise SettingsError("Give --tcp or --stdio, not both.")
    if log_level not in LEVELS:
        raise SettingsError(f"There is no log level '{log_level}'; levels are {', '.join(LEVELS)}.")
    if schema:
        from c2llm_lsp.server.protocol.schema import schema as requests_schema

        typer.echo(json.dumps(requests_schema(), indent=2))
        return FOUND
    if tcp is None and sys.stdin.isatty():
        typer.echo("An editor should start this: it speaks LSP on standard input and output. Ctrl-D ends it.", err=True)
    _writable(log_file)
    if tcp is None:
        from c2llm_lsp.server.start import start

        return start(log_file, log_level)
    from c2llm_lsp.server.run_server import log_to, serve_tcp

    log_to(log_file, log_level)
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)
    return serve_tcp(tcp, token, lambda port: _announce(port, token))


def _announce(port: int, token: str) -> None:
    """One line of JSON, for whoever started the server."""
    token_from_environment = bool(os.environ.get(TOKEN_VARIABLE))
    typer.echo(json.dumps({"host": "127.0.0.1", "port": port} | ({} if token_from_environment else {"token": token})))
    sys.stdout.flush()


def _writable(log_file: str | None) -> None:
    """A log that cannot be written is an error now, while somebody reads it."""
    try:
        if log_file:
            touch_private(Path(log_file))
            Path(log_file).open("ab").close()
    except OSError as error:
        raise SettingsError(f"The log cannot be written to {log_file} ({error.strerror}).") from error
