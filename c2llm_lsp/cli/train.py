"""`c2llm train`: a C2LLM trained further on tasks of your own, in a folder that search can use.

The embedded model itself is made by `python -m retrieval.training`, step by step from packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, remark, set_up_training
from retrieval.errors import MissingExtraError, QueryError

app = typer.Typer(add_completion=False)

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="TASKS", help="Folder with one NAME.jsonl a task; rows of query, positive, perhaps negatives."
    ),
]
Start = Annotated[
    Path,
    typer.Option("--model", help="Folder of the model to start from: config.json, model.safetensors, tokenizer.json."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder for checkpoints, curve and the finished model.")]
Steps = Annotated[int, typer.Option("--steps", min=1, help="How many batches to learn from.")]
TrainingBatch = Annotated[
    int, typer.Option("--batch", min=2, help="Pairs a batch: the others of a batch are the negatives.")
]
Rate = Annotated[float, typer.Option("--rate", min=0.0, help="Learning rate; the token table's is a quarter of it.")]
HardNegatives = Annotated[
    int, typer.Option("--hard-negatives", min=0, help="Mine this many a query with the model that the run starts from.")
]
LoraRank = Annotated[int, typer.Option("--lora", min=0, help="Rank of adapters on the backbone; 0 trains all weights.")]
TeacherName = Annotated[str, typer.Option("--teacher", help="An encoder whose similarities are learnt as well.")]
Distilled = Annotated[float, typer.Option("--distilled", min=0.0, max=1.0, help="The teacher's share of the loss.")]
Weight = Annotated[
    list[str] | None, typer.Option("--weight", help="TASK=NUMBER: how often a task is seen; repeatable.")
]
Cached = Annotated[bool, typer.Option("--cached", help="Gradient caching: batches larger than memory, a third slower.")]
Bf16 = Annotated[bool, typer.Option("--bf16", help="Compute in bfloat16, where the processor can.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads; 0 leaves the choice to torch.")]
Seed = Annotated[int, typer.Option("--seed", help="Two runs with one seed give the same curve.")]


@app.command()
@guarded
def train(
    tasks: Folder,
    model: Start,
    out: Out,
    steps: Steps = 1_000,
    batch: TrainingBatch = 64,
    rate: Rate = 2e-4,
    hard_negatives: HardNegatives = 0,
    lora: LoraRank = 0,
    teacher: TeacherName = "",
    distilled: Distilled = 0.5,
    weight: Weight = None,
    cached: Cached = False,
    bf16: Bf16 = False,
    threads: Threads = 0,
    seed: Seed = 1,
    quiet: options.Quiet = False,
) -> int:
    """Train a model further on tasks of your own.

    Stopped and started again with the same options, it goes on from the last checkpoint. Needs the extra 'train'.
    """
    try:
        from retrieval.training.distributed import current_processes
        from retrieval.training.fit import TrainSettings, fit
        from retrieval.training.trainer import Stage
    except ImportError as error:
        raise MissingExtraError("Training", "train") from error

    set_up_training(threads, quiet=quiet)
    stage = Stage(
        steps=steps,
        rate=rate,
        embedding_rate=rate / 4,
        warm_up=max(1, min(100, steps // 10)),
        validate_every=max(1, min(100, steps // 5)),
        cached=cached,
        bf16=bf16,
        distilled=distilled if teacher else 0.0,
    )
    settings = TrainSettings(stage, batch, seed, hard_negatives, lora, teacher, _weights(weight or []))
    folder = fit(tasks, model, out, settings)
    if not current_processes().is_main:
        return FOUND
    _export(folder, quiet=quiet)
    return FOUND


def _export(folder: Path, *, quiet: bool) -> None:
    """The graph that search uses, beside the trained weights."""
    from retrieval.model.c2llm import C2LLM
    from retrieval.model.export import TOKENIZER_NAME, export

    report = export(C2LLM.load(folder), folder / TOKENIZER_NAME, folder)
    if not quiet:
        remark(f"{folder} holds the model ({report.megabytes} MB); use it with: c2llm model use {folder}")


def _weights(given: list[str]) -> dict[str, float]:
    weights = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            weights[name] = -1.0
        if not 0 <= weights[name] <= 1_000:
            raise QueryError(f"A weight is TASK=NUMBER, the number 0 or more, but this one is '{text}'.")
    return weights
