"""Asks every question of some benchmarks, and measures the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from retrieval.encoders.protocol import Encoder
from retrieval.engine import Workspace
from retrieval.evaluation.benchmarks import Benchmark, Level, Question, Repository
from retrieval.evaluation.question_metrics import HEADLINE, Result, question_metrics
from retrieval.evaluation.run_file import BenchmarkRun, QuestionRun, RepositoryRun, Run
from retrieval.search import SIGNALS, without_signal
from retrieval.types import Answer, SearchRequest

# Results asked for: enough for 8,000 tokens, and few enough that merging them does not depend on it.
LIMIT = 30
SAVED_RESULTS = 20

Progress = Callable[[Benchmark, RepositoryRun], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the questions are asked, and what is measured besides the answers."""

    cache_dir: Path
    count: Callable[[str], int]  # the tokens of a text
    ranking: str = "full"
    signals: bool = False  # ask again without each signal: 30 times as long
    version: str = ""


def run_benchmarks(
    benchmarks: Sequence[Benchmark], encoder: Encoder, options: RunOptions, progress: Progress = lambda *_: None
) -> Run:
    """Raises what an encoder or a workspace raises."""
    runs = []
    for benchmark in benchmarks:
        repositories = []
        for repository in benchmark.repositories:
            repositories.append(_run_repository(repository, benchmark.level, encoder, options))
            progress(benchmark, repositories[-1])
        runs.append(BenchmarkRun(name=benchmark.name, level=benchmark.level, repositories=repositories))
    return Run(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=options.version,
        encoder=encoder.name,
        ranking=options.ranking,
        benchmarks=runs,
    )


def _run_repository(repository: Repository, level: Level, encoder: Encoder, options: RunOptions) -> RepositoryRun:
    with Workspace.open(repository.root, encoder=encoder, cache_dir=options.cache_dir) as workspace:
        report = workspace.refresh()
        chunks = workspace.freshness().chunks
        fresh = report.chunks_added == report.chunks_embedded == chunks
        return RepositoryRun(
            name=repository.name,
            language=repository.language,
            chunks=chunks,
            index_seconds=report.seconds if fresh else None,
            questions=[_ask(workspace, question, level, options) for question in repository.questions],
        )


def _ask(workspace: Workspace, question: Question, level: Level, options: RunOptions) -> QuestionRun:
    started = time.perf_counter()
    answer = workspace.search(SearchRequest(question.query, limit=LIMIT, ranking=options.ranking))
    seconds = time.perf_counter() - started
    results = _results(answer)
    metrics = question_metrics(results, question.targets, level, options.count)
    return QuestionRun(
        query=question.query,
        category=question.category,
        seconds=seconds,
        metrics=metrics,
        results=[(result.path, result.first, result.last) for result in results[:SAVED_RESULTS]],
        signals=_signals(workspace, question, level, options, metrics[HEADLINE[level]]) if options.signals else {},
    )


def _signals(
    workspace: Workspace, question: Question, level: Level, options: RunOptions, value: float
) -> dict[str, float]:
    """What the headline figure loses without each signal, where that changes it."""
    losses = {}
    for signal in SIGNALS:
        ranking = without_signal(options.ranking, signal)
        answer = workspace.search(SearchRequest(question.query, limit=LIMIT, ranking=ranking))
        metrics = question_metrics(_results(answer), question.targets, level, len)
        if loss := value - metrics[HEADLINE[level]]:
            losses[signal] = loss
    return losses


def _results(answer: Answer) -> list[Result]:
    return [Result(hit.chunk.path, hit.start_line, hit.end_line, hit.text) for hit in answer.hits]
