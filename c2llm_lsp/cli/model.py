"""`c2llm model`: which encoder makes the vectors; `c2llm model use NAME` sets another for all workspaces.

Vectors of two encoders are never mixed: the next search builds an index for the new one, and the old one is kept.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, remark
from c2llm_lsp.settings import SCHEMA, config_file, load, save
from retrieval.errors import EncoderError

app = typer.Typer(add_completion=False, invoke_without_command=True, no_args_is_help=False)

SAMPLE = "def add(left, right):\n    return left + right"


@dataclass(frozen=True, slots=True)
class Model:
    """What is worth knowing of an encoder; `milliseconds` is for one short passage, after loading."""

    name: str
    fingerprint: str
    dimension: int
    load_seconds: float
    milliseconds: float


@app.callback()
@guarded
def model(ctx: typer.Context, as_json: options.AsJson = False, encoder: options.Encoder = None) -> int:
    """Show which model makes the vectors."""
    if ctx.invoked_subcommand is not None:
        return FOUND
    loaded = load(None, chosen={"encoder": encoder})
    found = probe(loaded.settings.encoder, threads=loaded.settings.threads)
    if as_json:
        import json

        typer.echo(json.dumps({**asdict(found), "set_by": loaded.sources.get("encoder", "default")}, indent=2))
        return FOUND
    from retrieval.encoders import available

    typer.echo(f"encoder      {found.name} (set by {loaded.sources.get('encoder', 'default')})")
    typer.echo(f"fingerprint  {found.fingerprint}")
    typer.echo(f"vectors      {found.dimension} numbers each; {found.milliseconds:.1f} ms for a short passage")
    remark(f"Known are {', '.join(available())}, or the folder of an exported model: c2llm model use NAME")
    return FOUND


@app.command()
@guarded
def use(name: Annotated[str, typer.Argument(metavar="NAME", help="A known name, or the folder of a model.")]) -> int:
    """Set the encoder for all workspaces; it is loaded once to see that it works."""
    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().resolve())
    found = probe(name)
    path = config_file()
    save("encoder", name, path=path)
    typer.echo(f"{found.name} ({found.dimension} numbers a vector) is set in {path}.")
    variable = next(setting.variable for setting in SCHEMA if setting.name == "encoder")
    if (now := load(None)).settings.encoder != name:
        remark(f"But {variable} is set to '{now.settings.encoder}' in this shell, which wins.")
    remark("The next search of a workspace builds the index for it; the old one is kept.")
    return FOUND


def probe(name: str, *, threads: int = 0) -> Model:
    """Load an encoder and embed something with it."""
    import numpy as np

    from retrieval.encoders import load as load_encoder

    started = time.perf_counter()
    encoder = load_encoder(name, threads=threads or None)
    first = encoder.encode_passages([SAMPLE])
    ready = time.perf_counter()
    second = encoder.encode_passages([SAMPLE])
    again = time.perf_counter()
    if (
        first.shape != (1, encoder.dimension)
        or not np.isfinite(first).all()
        or abs(float((first * second).sum()) - 1) > 1e-3
    ):
        raise EncoderError(f"The encoder '{name}' gives vectors that cannot be used; c2llm doctor tells more.")
    return Model(encoder.name, encoder.fingerprint, encoder.dimension, ready - started, 1e3 * (again - ready))
