"""`c2llm evaluate own`: which encoder and ranking are best on a repository of yours, by questions that it holds itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp import __version__
from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, NOTHING, guarded, locate, remark
from c2llm_lsp.cli.evaluate_search import summary, tell_lines
from retrieval.errors import QueryError

if TYPE_CHECKING:
    from retrieval.encoders.protocol import Encoder
    from retrieval.evaluation.benchmarks import Benchmark
    from retrieval.evaluation.own import Choice
    from retrieval.evaluation.run_file import Run

Encoders = Annotated[
    list[str] | None,
    typer.Option("--encoder", help="An embedding model to try. May be repeated.", show_default="the configured one"),
]
Rankings = Annotated[
    list[str] | None, typer.Option("--ranking", help="A ranking to try. May be repeated.", show_default="all")
]


@guarded
def own(
    path: options.WorkspacePath = None,
    encoder: Encoders = None,
    ranking: Rankings = None,
    questions: Annotated[int, typer.Option("--questions", min=20, max=5_000, help="Questions of each kind.")] = 200,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to save the runs to.", show_default=False)] = None,
    cache_dir: Annotated[
        Path | None, typer.Option("--cache-dir", help="Where indexes are kept.", show_default="the user's cache")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Find out which encoder and ranking are best on this repository.

    Asks with its own doc comments, of a copy without them, and with commit subjects, for the functions that those changed.
    Each figure has a 95 % interval; what is as good as the best within the error is told. Exits with 1 where there are too few
    questions (20 of a kind) to tell.
    """
    from retrieval.encoders import load
    from retrieval.evaluation.cache_folder import evaluation_cache
    from retrieval.evaluation.own import choose
    from retrieval.evaluation.run_file import save
    from retrieval.search import RANKINGS, ranking_named

    rankings = ranking or list(RANKINGS)
    if unknown := [name for name in rankings if ranking_named(name) is None]:
        raise QueryError(f"There is no ranking '{unknown[0]}'; rankings are {', '.join(RANKINGS)}.")
    target = locate(path, quiet=quiet)
    names = list(dict.fromkeys(encoder or [target.settings.encoder]))
    cache = cache_dir or evaluation_cache("own")
    runs: dict[str, Run] = {}
    benchmarks = _benchmarks(target.root, cache, questions, quiet=quiet)
    if not benchmarks:
        remark("There are too few doc comments and commits here to tell encoders and rankings apart.")
        return NOTHING
    for name in names:
        loaded = load(name)
        for one in rankings:
            label = f"{name} {one}"
            runs[label] = _run(benchmarks, loaded, cache, one)
            if not quiet:
                remark(f"{label}: done")
            if out is not None:
                save(runs[label], out / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{one}.json")
    choices = choose(runs)
    tell_lines([_as_json(runs, choices)] if as_json else table(runs, choices))
    return FOUND


def _benchmarks(root: Path, cache: Path, limit: int, *, quiet: bool) -> list[Benchmark]:
    from retrieval.evaluation.own import own_benchmarks

    copy = cache / "copies" / f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"
    benchmarks = own_benchmarks(root, copy, limit)
    for benchmark in () if quiet else benchmarks:
        remark(f"{benchmark.name}: {len(benchmark.repositories[0].questions)} questions")
    return benchmarks


def _run(benchmarks: list[Benchmark], encoder: Encoder, cache: Path, ranking: str) -> Run:
    from retrieval.evaluation.search_run import RunOptions, run_benchmarks
    from retrieval.rag import estimate_tokens

    return run_benchmarks(
        benchmarks, encoder, RunOptions(cache / "indexes", estimate_tokens, ranking, version=__version__)
    )


def table(runs: Mapping[str, Run], choices: list[Choice]) -> Iterator[str]:
    """The configurations, best first, and what follows from them."""
    kinds = [benchmark.name for benchmark in next(iter(runs.values())).benchmarks]
    columns = "".join(f"{kind:>10}" for kind in kinds)
    yield f"{'recall@10':<32} {'mean':>6}  {'95 % interval':<16}{columns}  {'MRR':>6}  query"
    for choice in choices:
        benchmarks = runs[choice.name].benchmarks
        by_kind = "".join(f"{benchmark.mean('recall@10'):>10.3f}" for benchmark in benchmarks)
        mrr = sum(benchmark.mean("mrr") for benchmark in benchmarks) / len(benchmarks)
        mark = "" if choice.as_good else f"  behind by {choice.behind[0]:.3f} to {choice.behind[1]:.3f}"
        span = f"{choice.low:.3f} to {choice.high:.3f}"
        yield f"{choice.name:<32} {choice.value:>6.3f}  {span:<16}{by_kind}  {mrr:>6.3f}  {1e3 * choice.seconds:.0f} ms{mark}"
    best, *others = choices
    equals = [choice.name for choice in others if choice.as_good]
    yield f"Best here: {best.name}." + (f" As good within the error: {', '.join(equals)}." if equals else "")


def _as_json(runs: Mapping[str, Run], choices: list[Choice]) -> str:
    rows = [
        {
            "name": choice.name,
            "recall@10": choice.value,
            "interval": [choice.low, choice.high],
            "behind": list(choice.behind),
            "as_good_as_the_best": choice.as_good,
            "run": summary(runs[choice.name]),
        }
        for choice in choices
    ]
    return json.dumps({"schema_version": 1, "best": choices[0].name, "choices": rows}, indent=1)
