"""`c2llm evaluate search` and `c2llm evaluate compare`: how good search is on benchmarks, saved, and compared with another run."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp import __version__
from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, NOTHING, guarded, remark, tell
from retrieval.errors import QueryError

if TYPE_CHECKING:
    from retrieval.evaluation.benchmarks import Benchmark
    from retrieval.evaluation.compare import Comparison
    from retrieval.evaluation.run_file import BenchmarkRun, QuestionRun, RepositoryRun, Run

    Group = Callable[[RepositoryRun, QuestionRun], str]

SHOWN_CHANGES = 10  # questions shown that lost most, and that won most

Benches = Annotated[
    list[Path], typer.Argument(metavar="BENCH...", help="Folders with repos.json and questions, of files or functions.")
]
Trees = Annotated[
    list[Path] | None,
    typer.Option("--trees", help="Folder with the code of the repositories. May be repeated.", show_default="BENCH"),
]
Only = Annotated[list[str] | None, typer.Option("--only", help="Ask only about this repository. May be repeated.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="File to save the run to.", show_default="a new one in the user's cache")
]
CacheDir = Annotated[
    Path | None, typer.Option("--cache-dir", help="Where indexes are kept.", show_default="the user's cache")
]


@guarded
def search(
    benches: Benches,
    trees: Trees = None,
    only: Only = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Embedding model.")] = "embedded",
    ranking: Annotated[str, typer.Option("--ranking", help="A ranking.")] = "full",
    signals: Annotated[
        bool, typer.Option("--signals", help="Ask again without each ranking signal: 25 times as long.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Index from nothing, which measures its time.")] = False,
    out: Out = None,
    cache_dir: CacheDir = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Ask the questions of benchmarks, and show how well they are answered.

    NDCG@10, recall among 1 to 20 results, MRR, and recall within 1k to 8k tokens shown; by category, language, repository; times.
    Each figure is the mean over repositories of the mean over their questions. The run is saved, for `c2llm evaluate compare`.
    """
    from retrieval.encoders import load
    from retrieval.evaluation.run_file import save
    from retrieval.evaluation.search_run import RunOptions, run_benchmarks
    from retrieval.rag import estimate_tokens
    from retrieval.search import RANKINGS, ranking_named

    if ranking_named(ranking) is None:
        raise QueryError(f"There is no ranking '{ranking}'; rankings are {', '.join(RANKINGS)}.")
    benchmarks = chosen_benchmarks(benches, trees, only)
    if len({benchmark.name for benchmark in benchmarks}) < len(benchmarks):
        raise QueryError("Two of the benchmarks have the same name: folders of different names are needed.")
    with _cache(cache_dir, fresh=fresh) as cache:
        run_options = RunOptions(cache, estimate_tokens, ranking, signals, __version__)
        run = run_benchmarks(
            benchmarks, load(encoder), run_options, lambda *done: None if quiet else remark(progress_line(*done))
        )
    path = out or _runs() / f"{datetime.now():%Y-%m-%d-%H%M%S}.json"
    save(run, path)
    tell_lines([json.dumps(summary(run), indent=1)] if as_json else table(run))
    if not quiet:
        remark(f"Saved as {path}; compare with another run by: c2llm evaluate compare OTHER {path}")
    return FOUND


@guarded
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A run that `evaluate search` saved.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another one over the same questions.")],
    as_json: options.AsJson = False,
) -> int:
    """Compare two runs: each figure with a 95 % interval of its change, and which questions won and lost.

    Exits with 1 if the main figure of a benchmark (files: NDCG@10, functions: recall@10) is worse and its interval does not hold 0.
    """
    from retrieval.evaluation.compare import compare as compare_runs
    from retrieval.evaluation.run_file import load

    comparison = compare_runs(load(before), load(after))
    tell_lines([_comparison_json(comparison)] if as_json else comparison_table(comparison))
    return NOTHING if comparison.worse else FOUND


def chosen_benchmarks(
    benches: Sequence[Path], trees: Sequence[Path] | None, only: Sequence[str] | None
) -> list[Benchmark]:
    """The benchmarks that have a repository of those that are asked about. Raises QueryError where none has."""
    from retrieval.evaluation.benchmarks import load_benchmark

    loaded = [load_benchmark(folder, trees or [folder], only or ()) for folder in benches]
    benchmarks = [benchmark for benchmark in loaded if benchmark.repositories]
    if not benchmarks:
        raise QueryError("No repository of these benchmarks has such a name: --only takes those of repos.json.")
    return benchmarks


def evaluation_folder() -> Path:
    """Where indexes of benchmarks are kept, for all commands that ask the same questions."""
    from retrieval.evaluation.cache_folder import evaluation_cache

    return evaluation_cache("search")


def tell_lines(lines: Iterable[str]) -> None:
    for block in lines:
        for line in block.split("\n"):
            tell(line)


def progress_line(benchmark: object, run: object) -> str:
    """One repository that was asked about."""
    from retrieval.evaluation.benchmarks import Benchmark
    from retrieval.evaluation.question_metrics import HEADLINE
    from retrieval.evaluation.run_file import RepositoryRun

    assert isinstance(benchmark, Benchmark) and isinstance(run, RepositoryRun)
    metric = HEADLINE[benchmark.level]
    indexed = "" if run.index_seconds is None else f", indexed in {run.index_seconds:.1f} s"
    return f"{benchmark.name} {run.name}: {len(run.questions)} questions, {metric} {run.mean(metric):.3f}{indexed}"


def table(run: Run) -> Iterator[str]:
    """A run as text."""
    yield f"{run.encoder}, {run.ranking}"
    for benchmark in run.benchmarks:
        yield ""
        yield from _benchmark_table(benchmark)


def _benchmark_table(run: BenchmarkRun) -> Iterator[str]:
    from retrieval.evaluation.question_metrics import HEADLINE

    seconds, metric = run.seconds, HEADLINE[run.level]
    yield f"{run.name} ({run.level} level): {len(run.repositories)} repositories, {len(seconds)} questions"
    yield "  " + "  ".join(f"{name} {run.mean(name):.4f}" for name in run.metrics)
    p50, p95 = query_times(run)
    indexed = [repository.index_seconds for repository in run.repositories if repository.index_seconds is not None]
    of_index = f", {len(indexed)} repositories indexed in {sum(indexed):.1f} s" if indexed else ""
    yield f"  query p50 {1e3 * p50:.1f} ms, p95 {1e3 * p95:.1f} ms{of_index}"
    groups = {
        "category": run.by(lambda _, question: question.category, metric),
        "language": run.by(lambda repository, _: repository.language, metric),
        "repository": run.by(lambda repository, _: repository.name, metric),
    }
    for name, figures in groups.items():
        yield f"  {metric} by {name}: " + ", ".join(f"{key} {value:.3f} ({n})" for key, (value, n) in figures.items())
    yield from _signal_table(run, metric)


def _signal_table(run: BenchmarkRun, metric: str) -> Iterator[str]:
    """What each signal is worth, and how many questions it helps and hurts."""
    worth = signal_worth(run)
    if worth:
        yield f"  what {metric} loses without a signal, and the questions that it helped and hurt:"
    for signal, (value, helped, hurt) in worth.items():
        yield f"    {signal:<16} {value:+.4f}  {helped:>4} {hurt:>4}"


def signal_worth(run: BenchmarkRun) -> dict[str, tuple[float, int, int]]:
    """Signal -> the mean loss without it, the questions helped, the questions hurt; the dearest first."""
    losses: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sizes = {repository.name: len(repository.questions) for repository in run.repositories}
    for repository in run.repositories:
        for question in repository.questions:
            for signal, loss in question.signals.items():
                losses[signal][repository.name].append(loss)
    worth = {
        signal: (
            sum(sum(values) / sizes[name] for name, values in found.items()) / len(sizes),
            sum(value > 0 for values in found.values() for value in values),
            sum(value < 0 for values in found.values() for value in values),
        )
        for signal, found in losses.items()
    }
    return dict(sorted(worth.items(), key=lambda item: -item[1][0]))


def summary(run: Run) -> dict[str, object]:
    """A run without its questions, as JSON."""
    return {
        "schema_version": run.schema_version,
        "encoder": run.encoder,
        "ranking": run.ranking,
        "benchmarks": [_benchmark_summary(benchmark) for benchmark in run.benchmarks],
    }


def _benchmark_summary(run: BenchmarkRun) -> dict[str, object]:
    return {
        "name": run.name,
        "level": run.level,
        "metrics": {name: run.mean(name) for name in run.metrics},
        "query_seconds": dict(zip(("p50", "p95"), query_times(run), strict=True)),
        "index_seconds": {repository.name: repository.index_seconds for repository in run.repositories},
        "categories": _by_group(run, lambda _, question: question.category),
        "languages": _by_group(run, lambda repository, _: repository.language),
        "repositories": _by_group(run, lambda repository, _: repository.name),
        "signals": {
            signal: {"worth": value, "helped": helped, "hurt": hurt}
            for signal, (value, helped, hurt) in signal_worth(run).items()
        },
    }


def _by_group(run: BenchmarkRun, group: Group) -> dict[str, dict[str, float]]:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for metric in run.metrics:
        for name, (value, _) in run.by(group, metric).items():
            groups[name][metric] = value
    return groups


def query_times(run: BenchmarkRun) -> tuple[float, float]:
    """Seconds of a query: the median, and the 95th percentile."""
    seconds = run.seconds
    p50, p95 = (seconds[min(len(seconds) - 1, int(len(seconds) * share))] for share in (0.5, 0.95))
    return p50, p95


def comparison_table(comparison: Comparison) -> Iterator[str]:
    """A comparison as text."""
    for d in comparison.differences:
        mark = "*" if d.headline else " "
        yield (
            f"{mark} {d.benchmark:<12} {d.metric:<15} {d.before:.4f} -> {d.after:.4f}  {d.change:+.4f} "
            f"[{d.low:+.4f}, {d.high:+.4f}]  {d.won} won, {d.lost} lost of {d.questions}  {d.verdict}"
        )
    losses = [change for change in comparison.changes if change.after < change.before][:SHOWN_CHANGES]
    gains = [change for change in reversed(comparison.changes) if change.after > change.before][:SHOWN_CHANGES]
    for name, changes in (("lost most", losses), ("won most", gains)):
        if changes:
            yield f"{name}:"
        for change in changes:
            query = " ".join(change.query.split())
            yield f"  {change.repository:<14} {change.before:.3f} -> {change.after:.3f}  {query[:90]}"
    if comparison.unmatched:
        yield f"{comparison.unmatched} questions are in one of the runs only."


def _comparison_json(comparison: Comparison) -> str:
    from dataclasses import asdict

    data = asdict(comparison)
    for row, difference in zip(data["differences"], comparison.differences, strict=True):
        row |= {"change": difference.change, "verdict": difference.verdict}
    return json.dumps({"worse": comparison.worse, **data}, indent=1)


@contextmanager
def _cache(cache_dir: Path | None, *, fresh: bool) -> Iterator[Path]:
    if not fresh:
        yield cache_dir or evaluation_folder()
        return
    with tempfile.TemporaryDirectory(prefix="c2llm-evaluate-") as folder:
        yield Path(folder)


def _runs() -> Path:
    return evaluation_folder() / "runs"
