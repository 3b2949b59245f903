"""`c2llm model`: shows the embedding model; `use` sets another for all workspaces, `export` converts one to ONNX.

Vectors of two encoders are never mixed: the next search builds an index for the new one, and the old one is kept. What cannot be
downloaded or does not work is not set, so that search goes on with what was there before.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, remark
from c2llm_lsp.settings import SCHEMA, Settings, config_file, load, save
from retrieval.errors import EncoderError, HubUnreachableError, MissingExtraError, ModelError, QueryError
from retrieval.model.checkpoint_names import is_hub_name

app = typer.Typer(add_completion=False, invoke_without_command=True, no_args_is_help=False)

SAMPLE = "def add(left, right):\n    return left + right"
MEGABYTE = 1_000_000
PRECISIONS = ("fp32", "fp16", "int8", "int8-weights")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A known name, the folder of a model, a checkpoint on the hub, a server's address."
    ),
]
Revision = Annotated[str, typer.Option("--revision", help="A branch, tag or commit of the checkpoint on the hub.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Set where a checkpoint computes: cpu, cuda, cuda:1, mps.")
]
Dtype = Annotated[str | None, typer.Option("--dtype", help="Set its precision: bf16, fp16, fp32.")]
Source = Annotated[str, typer.Argument(metavar="SRC", help="The folder of a checkpoint, or one on the hub.")]
Out = Annotated[
    Path, typer.Option("--out", help="The folder to write model.onnx, config.json and tokenizer.json into.")
]
Precision = Annotated[str, typer.Option("--precision", help=f"One of {', '.join(PRECISIONS)}.")]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Properties of an encoder; `milliseconds` is the time for one short passage, after loading."""

    name: str
    fingerprint: str
    dimension: int
    load_seconds: float
    milliseconds: float
    runs_on: str = ""


@app.callback()
@guarded
def model(ctx: typer.Context, as_json: options.AsJson = False, encoder: options.Encoder = None) -> int:
    """Show the embedding model."""
    if ctx.invoked_subcommand is not None:
        return FOUND
    loaded = load(None, overrides={"encoder": encoder})
    row = probe(loaded.settings)
    if as_json:
        import json

        typer.echo(json.dumps({**asdict(row), "set_by": loaded.sources.get("encoder", "default")}, indent=2))
        return FOUND
    from retrieval.encoders import available

    typer.echo(f"encoder      {row.name} (set by {loaded.sources.get('encoder', 'default')})")
    if row.runs_on:
        typer.echo(f"runs on      {row.runs_on}")
    typer.echo(f"fingerprint  {row.fingerprint}")
    typer.echo(f"vectors      {row.dimension} dimensions; {row.milliseconds:.1f} ms for a short passage")
    others = "the folder of a model, a checkpoint on the hub (codefuse-ai/C2LLM-0.5B), or the address of a server"
    remark(f"Known are {', '.join(available())}, {others}: c2llm model use NAME")
    return FOUND


@app.command()
@guarded
def use(
    name: Name,
    revision: Revision = "",
    device: Device = None,
    dtype: Dtype = None,
    quiet: options.Quiet = False,
) -> int:
    """Set the encoder for all workspaces. A checkpoint on the hub is downloaded first; afterwards nothing is looked up there.

    It is loaded once to see that it works; what does not work is not set.
    """
    now = load(None, overrides={"device": device, "dtype": dtype}).settings
    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().resolve())
    elif is_hub_name(name):
        name = f"{name}@{revision}" if revision else name
        download(name, now.encoder, quiet=quiet)
    elif revision:
        raise QueryError(f"--revision is for checkpoints on the hub, and '{name}' is none.")
    row = probe(replace(now, encoder=name))
    path = config_file()
    for setting, value in (("encoder", name), ("device", device), ("dtype", dtype)):
        if value is not None:
            save(setting, value, path=path)
    device = f" on {row.runs_on}" if row.runs_on else ""
    typer.echo(f"{row.name} ({row.dimension} dimensions){device} is set in {path}.")
    variable = next(setting.variable for setting in SCHEMA if setting.name == "encoder")
    if (after := load(None)).settings.encoder != name:
        remark(f"But {variable} is set to '{after.settings.encoder}' in this shell, which wins.")
    remark("The next search of a workspace builds the index for it; the old one is kept.")
    return FOUND


@app.command()
@guarded
def export(source: Source, out: Out, precision: Precision = "fp32", quiet: options.Quiet = False) -> int:
    """Make an ONNX graph of a checkpoint: backbone, pooling and attention in one, compared with torch at the end.

    Where the two are not close enough nothing is written, and the exit code says so. Needs the extra 'train'.
    """
    if precision not in PRECISIONS:
        raise QueryError(f"There is no precision '{precision}'; use one of {', '.join(PRECISIONS)}.")
    try:
        from retrieval.model.export import export_checkpoint
    except ImportError as error:
        raise MissingExtraError("Export to ONNX", "train") from error
    from retrieval.encoders.model_folder import resolve_folder

    folder = resolve_folder(source)
    if not quiet:
        remark("Exporting; a checkpoint of half a billion parameters takes minutes.")
    report = export_checkpoint(folder, out, precision=precision)  # type: ignore[arg-type]
    typer.echo(
        f"{out} holds the model ({report.megabytes:,.1f} MB, {precision}); lowest cosine with torch {report.cosine:.6f}."
    )
    if not quiet:
        remark(f"Use it with: c2llm model use {out}")
    return FOUND


def download(name: str, present: str, *, quiet: bool) -> None:
    """A checkpoint from the hub, with progress; `present` is what search goes on with where that fails."""
    if find_spec("torch") is None:  # before gigabytes are fetched that nothing here can run
        raise MissingExtraError("A checkpoint in torch", "torch")
    from c2llm_lsp.cli.progress import progress_view
    from retrieval.model.hub import cached, fetch

    try:
        with progress_view(quiet=quiet) as progress:
            fetch(name, progress=lambda stage, done, total: progress(stage, done // MEGABYTE, total // MEGABYTE))
    except HubUnreachableError as error:
        try:
            cached(name)
        except ModelError:
            raise ModelError(f"{error} Search goes on with '{present}'.") from error
        if not quiet:
            remark(f"{error.cause} The copy that was downloaded before is used.")


def probe(settings: Settings) -> ModelRow:
    """Load the encoder of the settings and embed something with it."""
    import numpy as np

    from c2llm_lsp.session.factories import load_encoder

    started = time.perf_counter()
    encoder = load_encoder(settings)
    first = encoder.encode_passages([SAMPLE])
    ready = time.perf_counter()
    second = encoder.encode_passages([SAMPLE])
    again = time.perf_counter()
    if (
        first.shape != (1, encoder.dimension)
        or not np.isfinite(first).all()
        or abs(float((first * second).sum()) - 1) > 1e-3
    ):
        raise EncoderError(
            f"The encoder '{settings.encoder}' gives vectors that cannot be used; c2llm doctor tells more."
        )
    from retrieval.encoders import processor_of

    return ModelRow(
        encoder.name,
        encoder.fingerprint,
        encoder.dimension,
        ready - started,
        1e3 * (again - ready),
        processor_of(encoder),
    )
