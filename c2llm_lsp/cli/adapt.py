"""`c2llm adapt`: the model tuned on one repository, kept only where it finds more there on files that it has not seen.

Nothing of the repository runs and nothing leaves the machine. Ctrl-C leaves the old model in use; the same command goes on from the
step that was reached. Exit codes: 0 a better model is used from now on (or was taken back), 1 the old one is kept, 2 error.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, Target, guarded, locate, open_workspace, remark, tell
from retrieval.errors import CancelledError, MissingExtraError, QueryError

if TYPE_CHECKING:
    from retrieval.encoders import Encoder
    from retrieval.finetune.finetuning import Outcome
    from retrieval.finetune.run_options import FinetuneOptions, Start

app = typer.Typer(add_completion=False)

METHODS = ("query", "pma", "lora", "all")

Minutes = Annotated[
    float, typer.Option("--minutes", min=0.1, max=10_000, help="About how long it may take; learning stops in time.")
]
Steps = Annotated[
    int, typer.Option("--steps", min=0, help="Learn from exactly so many batches.", show_default="by size and time")
]
Method = Annotated[
    str,
    typer.Option(
        "--way",
        help="What is tuned: query (a linear map of queries: nothing is embedded again); with the extra 'train' also pma (the "
        "pooling), lora (and adapters on the layers), all (every weight).",
    ),
]
Dry = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what there is to learn from and how the model in use does; change nothing."),
]
Undo = Annotated[bool, typer.Option("--undo", help="Go back to the model that was used before.")]
Seed = Annotated[int, typer.Option("--seed", help="Two runs with one seed give the same model.")]


@app.command()
@guarded
def adapt(
    path: options.WorkspacePath = None,
    minutes: Minutes = 5.0,
    steps: Steps = 0,
    way: Method = "query",
    dry: Dry = False,
    undo: Undo = False,
    seed: Seed = 1,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Tune the model on this repository, and keep it if it finds more there.

    It learns from code, doc comments and names, and is judged by questions about files that it has not seen: NDCG@10 among all
    chunks of the repository, before and after, as search ranks and by vectors alone. The better model is used in this workspace
    from then on. Ctrl-C leaves everything as it is, and the same command goes on from there. Ways other than 'query' need the
    extra 'train'.
    """
    target = locate(path, quiet=quiet)
    if undo:
        return undo_adaptation(target, as_json=as_json)
    if way not in METHODS:
        raise QueryError(f"There is no way '{way}' of tuning; use one of {', '.join(METHODS)}.")
    if way != "query":
        _require_training(target)
    from retrieval.finetune.run_options import FinetuneOptions

    start = base_encoder(target)
    options = FinetuneOptions(minutes, steps, way, seed, dry)  # type: ignore[arg-type]
    outcome = _finetune(target, start, options, quiet=quiet)
    if outcome is None:
        return INTERRUPTED
    if outcome.kept:
        reindex(target, quiet=quiet)
    show(target, outcome, as_json=as_json, dry=dry)
    return FOUND if outcome.kept or dry else NOTHING


def _require_training(target: Target) -> None:
    """Raises MissingExtraError."""
    try:
        import onnx as _onnx  # noqa: F401
        import onnxscript as _onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtraError("Training a model", "train") from error
    if target.settings.threads:
        torch.set_num_threads(target.settings.threads)


def _finetune(target: Target, start: Start, options: FinetuneOptions, *, quiet: bool) -> Outcome | None:
    """None where Ctrl-C ended it."""
    from c2llm_lsp.cli.progress import cancel_on_interrupt, progress_view, refresh
    from retrieval.finetune import finetuning

    with open_workspace(target) as workspace:
        if refresh(workspace, quiet=quiet, wait=True).cancelled:
            return None
        try:
            with progress_view(quiet=quiet) as progress, cancel_on_interrupt() as cancel:

                def on_progress(stage: str, done: int, total: int) -> None:
                    if cancel.is_set() and stage != "learn":  # learning stops by itself, with a checkpoint
                        raise CancelledError("Stopped.")
                    progress(stage, done, total)

                return finetuning.adapt(workspace, start, options, on_progress, cancel.is_set)
        except CancelledError as stopped:
            remark(f"{stopped} The model in use is as it was; the same command goes on from there.")
            return None


def base_encoder(target: Target) -> Start:
    """The encoder that the workspace uses where nothing is adapted, and the folder of its files."""
    from retrieval.encoders import available, is_address
    from retrieval.encoders.model_folder import load_folder, resolve_folder
    from retrieval.encoders.onnx import embedded_folder
    from retrieval.finetune.registry import AdaptError
    from retrieval.finetune.run_options import Start

    settings = target.settings
    name = target.loaded.base
    if is_address(name) or (name != "embedded" and name in available()):
        raise AdaptError(
            f"The encoder '{name}' cannot be adapted: that takes a C2LLM model on this machine. c2llm model use embedded, or the "
            "folder of a checkpoint, sets one."
        )
    folder = embedded_folder() if name == "embedded" else resolve_folder(name)

    def loaded(of: Path) -> Encoder:
        return load_folder(of, threads=settings.threads or None, device=settings.device, dtype=settings.dtype)

    used = Path(settings.encoder) if settings.encoder != name else folder
    encoder = loaded(folder)
    return Start(name, folder, encoder, encoder if used == folder else loaded(used), loaded)


def reindex(target: Target, *, quiet: bool) -> None:
    """Vectors of the new model for what is indexed; those of the old one stay, so that going back embeds nothing."""
    from c2llm_lsp.cli.progress import refresh

    with open_workspace(locate(target.root, quiet=True)) as workspace:
        refresh(workspace, quiet=quiet, wait=True)


def undo_adaptation(target: Target, *, as_json: bool) -> int:
    from retrieval.finetune.registry import undo as undone

    gone, record = undone(target.root, target.loaded.base)
    now = str(record.path) if record.path is not None else record.base
    if as_json:
        import json

        typer.echo(
            json.dumps(
                {"schema_version": 1, "root": str(target.root), "undone": asdict(gone), "encoder": now}, indent=2
            )
        )
        return FOUND
    used = (
        f"{record.current.folder} from before it"
        if record.current is not None
        else f"the encoder '{record.base}' itself"
    )
    tell(f"{gone.folder} was taken back: this workspace uses {used}.")
    remark("Its vectors are still there: nothing is embedded again. A running editor takes it with its next start.")
    return FOUND


def show(target: Target, outcome: Outcome, *, as_json: bool, dry: bool) -> None:
    if as_json:
        import json

        typer.echo(
            json.dumps({"schema_version": 1, "root": str(target.root), "dry_run": dry, **asdict(outcome)}, indent=2)
        )
        return
    for line in lines(outcome, dry=dry):
        tell(line)
    if outcome.kept:
        remark("A running editor takes it with its next start. c2llm adapt --undo goes back.")


def lines(outcome: Outcome, *, dry: bool) -> list[str]:
    """The report for people."""
    kinds = ", ".join(f"{count:,} {_PLURAL.get(kind, kind)}" for kind, count in outcome.questions.items())
    report = [
        f"learns from   {outcome.pairs:,} documented functions and {outcome.names:,} names in {outcome.files:,} files"
        + (f" ({outcome.dropped:,} left out: nearly the same as what is asked for)" if outcome.dropped else ""),
        f"is asked      {kinds} of files that it does not learn from, among {outcome.compared:,} chunks"
        + (f" of {outcome.chunks:,}" if outcome.compared < outcome.chunks else ""),
    ]
    if dry:
        ranked, dense = outcome.before["ranked"], outcome.before["dense"]
        return [*report, f"NDCG@10       {ranked:.3f} as search ranks, {dense:.3f} by vectors alone: the model in use"]
    resumed = ", gone on from a stopped run" if outcome.resumed else ""
    done = f"{outcome.way}, {outcome.steps:,} steps" if outcome.steps else outcome.way
    report.append(f"tuned         {done}, in {outcome.learning_seconds:.0f} s{resumed}")
    report.append(f"{'NDCG@10':<13} {'before':>8} {'after':>8} {'gain':>8}")
    for name, label in (("ranked", "search"), ("dense", "vectors alone")):
        report.append(
            f"{label:<13} {outcome.before[name]:>8.3f} {outcome.after[name]:>8.3f} {outcome.gain[name]:>+8.3f} "
            f"± {outcome.error[name]:.3f}"
        )
    for kind, scores in outcome.by_kind.items():
        report.append(
            f"  {_PLURAL.get(kind, kind):<11} {scores['ranked_before']:>8.3f} {scores['ranked_after']:>8.3f} "
            f"{scores['ranked_after'] - scores['ranked_before']:>+8.3f}"
        )
    if outcome.kept:
        report.append(
            f"The new model is used in this workspace: {outcome.reason}. It took {outcome.seconds / 60:.1f} minutes."
        )
    else:
        report.append(f"The old model is kept: {outcome.reason}. It took {outcome.seconds / 60:.1f} minutes.")
    return report


_PLURAL = {"comment": "comments", "name": "names", "commit": "commits"}
