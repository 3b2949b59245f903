"""`c2llm evaluate mteb`: an encoder on the 12 tasks of MTEB(Code), beside the published figures of C2LLM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import ERROR, FOUND, NOTHING, complain, guarded, remark
from c2llm_lsp.cli.evaluate_search import tell_lines

if TYPE_CHECKING:
    from retrieval.evaluation.mteb_code import MtebScores


@guarded
def mteb(
    model: Annotated[
        str, typer.Option("--model", help="An encoder: a name, a folder, a checkpoint on the hub, or an address.")
    ] = "embedded",
    tasks: Annotated[
        list[str] | None,
        typer.Option("--tasks", help="Tasks by name, separated by commas. May be repeated.", show_default="all 12"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Folder with data sets as TASK/..., laid out as on the hub.", show_default="the hub"
        ),
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option("--cache-dir", help="Where results and vectors are kept.", show_default="the user's cache"),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="For checkpoints: auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="For checkpoints: auto, bf16, fp16, fp32.")] = "auto",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Score an encoder on the 12 tasks of MTEB(Code): NDCG@10, beside the published means of C2LLM.

    Each task has C2LLM's instruction for its queries. Tasks with a result are not run again, and one that was stopped goes on where
    it was. Exits with 1 where some of the tasks could not be run, with 2 where none could.
    """
    from retrieval.encoders import load
    from retrieval.evaluation.cache_folder import evaluation_cache
    from retrieval.evaluation.mteb_code import run_tasks, task_names

    names = task_names([name.strip() for given in tasks or () for name in given.split(",") if name.strip()])
    folder = cache_dir or evaluation_cache("mteb")
    encoder = load(model, device=device, dtype=dtype)
    scores = run_tasks(encoder, names, folder, data, lambda _: None if quiet else remark(_))
    if as_json:
        tell_lines([_as_json(encoder.name, scores)])
    elif scores.scores:
        tell_lines(table(encoder.name, scores))
    for name, reason in scores.failures.items():
        complain(f"{name} could not be run: {reason}")
    if not scores.scores:
        return ERROR
    return NOTHING if scores.failures else FOUND


def table(name: str, scores: MtebScores) -> Iterator[str]:
    """The scores by task, and the mean beside the published ones."""
    from retrieval.evaluation.mteb_code import INSTRUCTIONS, PUBLISHED

    yield f"{'MTEB(Code), NDCG@10':<30} {name}"
    for task, score in scores.scores.items():
        yield f"{task:<30} {score:6.2f}"
    yield f"{f'mean of {len(scores.scores)}':<30} {scores.mean:6.2f}"
    for published, mean in PUBLISHED.items():
        change = f"  ({scores.mean - mean:+.2f} against it)" if scores.complete else ""
        yield f"{f'published: {published}':<30} {mean:6.2f}{change}"
    if not scores.complete:
        yield f"The published means are over all {len(INSTRUCTIONS)} tasks: this one cannot be compared with them."


def _as_json(name: str, scores: MtebScores) -> str:
    from retrieval.evaluation.mteb_code import PUBLISHED

    return json.dumps(
        {
            "schema_version": 1,
            "model": name,
            "scores": scores.scores,
            "mean": scores.mean if scores.scores else None,
            "complete": scores.complete,
            "published": PUBLISHED,
            "failures": scores.failures,
        },
        indent=1,
    )
