"""`c2llm evaluate`: how good encoders, rankings and poolings are, on a benchmark that one has on disk."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from c2llm_lsp.cli import evaluate_mteb, evaluate_own, evaluate_search, evaluate_tokens, options
from c2llm_lsp.cli.common import FOUND, guarded, remark, set_up_training
from retrieval.errors import MissingExtraError, QueryError

if TYPE_CHECKING:
    from retrieval.evaluation.benchmark import Project, Scores

app = typer.Typer(add_completion=False, no_args_is_help=True)

POOLINGS = ("pma", "mean", "eos", "last", "even")

Repos = Annotated[Path, typer.Argument(metavar="REPOS", help="Folder with the benchmark's repositories.")]
Bench = Annotated[Path, typer.Argument(metavar="BENCH", help="Folder with repos.json and annotations/.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Score only this repository. May be repeated.")]
CacheDir = Annotated[
    Path | None, typer.Option("--cache-dir", help="Where indexes are kept.", show_default="the user's cache")
]
PreparedFolder = Annotated[
    Path, typer.Argument(metavar="PREPARED", help="Folder that `python -m retrieval.training prepare` wrote.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder for the runs, the report and its plots.")]
Texts = Annotated[
    list[Path] | None, typer.Option("--texts", help="Folder of prose (.md, .rst, .txt) to search. May be repeated.")
]
Poolings = Annotated[
    list[str] | None,
    typer.Option("--pooling", help=f"One of {', '.join(POOLINGS)}. May be repeated.", show_default="pma, mean, eos"),
]
AnalyzedEncoders = Annotated[
    list[str] | None, typer.Option("--look", help="An encoder whose attention is analysed too. May be repeated.")
]


@app.callback()
def evaluate() -> None:
    """Measure encoders, rankings and poolings."""


app.command(name="search")(evaluate_search.search)
app.command(name="compare")(evaluate_search.compare)
app.command(name="tokens")(evaluate_tokens.tokens)
app.command(name="own")(evaluate_own.own)
app.command(name="mteb")(evaluate_mteb.mteb)


@app.command()
@guarded
def bench(
    repos: Repos,
    bench: Bench,
    encoder: Annotated[list[str] | None, typer.Option("--encoder", help="An encoder. May be repeated.")] = None,
    ranking: Annotated[list[str] | None, typer.Option("--ranking", help="A ranking. May be repeated.")] = None,
    only: Only = None,
    cache_dir: CacheDir = None,
    as_json: options.AsJson = False,
) -> int:
    """Score encoders and rankings on a code-search benchmark, all over the same chunks: NDCG@10."""
    from retrieval.evaluation import benchmark

    rankings = _rankings(ranking)
    selection = _projects(repos, bench, only)
    scores = benchmark.evaluate(
        selection, encoder or ["embedded"], rankings, cache_dir or evaluate_search.evaluation_folder()
    )
    if as_json:
        typer.echo(json.dumps({name: _as_data(score) for name, score in scores.items()}, indent=1))
        return FOUND
    for name, score in sorted(scores.items(), key=lambda item: -item[1].overall):
        categories = "  ".join(f"{kind} {score.category(kind):.3f}" for kind in sorted(score.by_category))
        spread = statistics.pstdev(score.by_project.values()) if len(score.by_project) > 1 else 0.0
        typer.echo(f"{name:40} NDCG@10 {score.overall:.4f}  (± {spread:.3f} between repositories)  {categories}")
    return FOUND


@app.command()
@guarded
def paraphrases(
    encoder: Annotated[list[str] | None, typer.Option("--encoder", help="An encoder. May be repeated.")] = None,
    ranking: Annotated[list[str] | None, typer.Option("--ranking", help="A ranking. May be repeated.")] = None,
    as_json: options.AsJson = False,
) -> int:
    """Ask for functions of Python's standard library in everyday words: mean reciprocal rank."""
    from retrieval.encoders import load
    from retrieval.evaluation.paraphrases import mean_by_part, questions, reciprocal_ranks

    rankings, queries, results = _rankings(ranking), questions(), {}
    for name in encoder or ["embedded"]:
        for ranking_name, ranks in reciprocal_ranks(load(name), rankings, queries).items():
            results[f"{name} {ranking_name}"] = mean_by_part(queries, ranks)
    if as_json:
        parts = ("developing", "held_out")
        typer.echo(
            json.dumps({name: dict(zip(parts, means, strict=True)) for name, means in results.items()}, indent=1)
        )
        return FOUND
    for name, (developing, held_out) in sorted(results.items(), key=lambda item: -item[1][0]):
        typer.echo(f"{name:40} MRR {developing:.3f} developing  {held_out:.3f} held out  ({len(queries)} questions)")
    return FOUND


@app.command()
@guarded
def pooling(
    prepared: PreparedFolder,
    out: Out,
    repos: Annotated[Path | None, typer.Option("--repos", help="The benchmark's repositories; needs --bench.")] = None,
    bench: Annotated[Path | None, typer.Option("--bench", help="Folder with repos.json and annotations/.")] = None,
    only: Only = None,
    texts: Texts = None,
    poolings: Poolings = None,
    look: AnalyzedEncoders = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many runs of each pooling.")] = 3,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Batches that each run learns from.")] = 1_000,
    batch: Annotated[int, typer.Option("--batch", min=2, help="Pairs a batch.")] = 64,
    layers: Annotated[int, typer.Option("--layers", min=0, help="Of the backbone.")] = 2,
    hidden: Annotated[int, typer.Option("--hidden", min=8, help="Width of the backbone; a multiple of 8.")] = 256,
    teacher: Annotated[
        bool, typer.Option(help="Begin with MiniLM's vectors of the tokens; else with random ones.")
    ] = True,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads; 0 leaves the choice to torch.")] = 0,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare poolings on one backbone: same data, same steps, several seeds.

    Held-out packages, prose, a code-search benchmark, and where PMA looks. Stopped and started again, it goes on.
    """
    _require_poolings(poolings or ())
    if (repos is None) != (bench is None):
        raise QueryError("--repos and --bench go together: the one holds the code, the other the questions.")
    if hidden % 8:
        raise QueryError(f"--hidden is a multiple of 8, the number of PMA's heads, and {hidden} is not.")
    try:
        from retrieval.evaluation.pooling.experiment import Experiment, run_experiment
        from retrieval.evaluation.pooling.report import markdown
        from retrieval.evaluation.pooling.runs import ExperimentPlan
    except ImportError as error:
        raise MissingExtraError("Comparing poolings", "train") from error

    set_up_training(threads, quiet=quiet)
    scored = _projects(repos, bench, only) if repos and bench else []
    code = _available_projects(repos, bench) if repos and bench else []
    plan = ExperimentPlan(
        prepared, out, tuple(poolings or POOLINGS[:3]), tuple(range(1, seeds + 1)),
        steps=steps, batch=batch, layers=layers, hidden=hidden, teacher=teacher,
    )  # fmt: skip
    report = run_experiment(Experiment(plan, tuple(texts or ()), tuple(scored), tuple(code), tuple(look or ())))
    typer.echo(json.dumps(report, indent=1) if as_json else markdown(report).rstrip())
    if not quiet:
        remark(f"{out / 'report.md'} has it too, {out / 'plots'} the plots.")
    return FOUND


def _require_poolings(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in POOLINGS]:
        raise QueryError(f"There is no pooling '{unknown[0]}'; poolings are {', '.join(POOLINGS)}.")


def _rankings(names: list[str] | None) -> list[str]:
    from retrieval.search import RANKINGS

    if unknown := [name for name in names or () if name not in RANKINGS]:
        raise QueryError(f"There is no ranking '{unknown[0]}'; rankings are {', '.join(RANKINGS)}.")
    return names or list(RANKINGS)


def _projects(repos: Path, bench: Path, only: list[str] | None) -> list[Project]:
    from retrieval.evaluation.benchmark import projects

    if not (bench / "repos.json").is_file():
        raise QueryError(f"There is no repos.json in {bench}: give the folder of the benchmark.")
    selection = list(projects(repos, bench, only or ()))
    if not selection:
        raise QueryError(f"No repository of {bench} has such a name: --only takes those of repos.json.")
    if missing := [project for project in selection if not project.root.is_dir()]:
        raise QueryError(f"There is no {missing[0].root}: get the repository, or leave it out with --only.")
    return selection


def _available_projects(repos: Path, bench: Path) -> list[Project]:
    """All repositories that can be read, of whatever language."""
    from retrieval.evaluation.benchmark import projects

    return [project for project in projects(repos, bench) if project.root.is_dir()]


def _as_data(score: Scores) -> Mapping[str, Any]:
    return {
        "overall": score.overall,
        "by_project": score.by_project,
        "by_category": {kind: score.category(kind) for kind in sorted(score.by_category)},
    }
