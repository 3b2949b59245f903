"""`c2llm serve-embeddings`: any encoder behind OpenAI's embeddings endpoint, for the machines of a team.

Without a key it serves this machine only. The key comes from the environment, where clients keep theirs too: what
stands on a command line can be read by everybody on the machine.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, remark
from c2llm_lsp.settings import load
from retrieval.errors import MissingExtraError, SettingsError

app = typer.Typer(add_completion=False)
KEY_VARIABLE = "C2LLM_API_KEY"
PORT = 8420
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@app.command()
@guarded
def serve_embeddings(
    host: Annotated[
        str, typer.Option("--host", help="The address to serve on; 0.0.0.0 for all of the network.")
    ] = LOOPBACK[0],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = PORT,
    name: Annotated[
        str | None, typer.Option("--name", help="What clients call the model.", show_default="its own")
    ] = None,
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Let everybody on the network embed; for networks that are closed.")
    ] = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Serve embeddings to other machines and programs, as OpenAI's API does.

    C2LLM_API_KEY is the key that clients must show; it is needed to serve more than this machine. Ctrl-C or SIGTERM
    ends it, after what is under way.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    local = host in LOOPBACK
    if not local and not key and not without_key:
        raise SettingsError(f"To serve more than this machine set {KEY_VARIABLE} to a key, or say --without-key.")
    try:
        from c2llm_lsp.embeddings_server.app import LOCAL_HOSTS, Serving
        from c2llm_lsp.embeddings_server.run_server import run
    except ImportError as error:
        raise MissingExtraError("Serving embeddings", "serve") from error
    from c2llm_lsp.session.factories import load_encoder

    encoding = load_encoder(load(None, overrides={"encoder": encoder}).settings)
    encoding.encode_passages(["warm up"])
    serving = Serving(encoding, name or encoding.name, key, LOCAL_HOSTS if local and not key else ())

    def announce(port: int) -> None:
        if not quiet:
            address = f"[{host}]" if ":" in host else host
            remark(f"{serving.name} ({encoding.dimension} dimensions) is served on http://{address}:{port}/v1")

    return run(serving, host, port, announce) or FOUND
