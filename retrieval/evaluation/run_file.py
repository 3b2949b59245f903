"""A run of the evaluation as it is saved: every question with its results and figures, so that two runs can be compared.

`schema_version` rises when a field changes its meaning or is removed.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from retrieval.errors import QueryError
from retrieval.evaluation.benchmarks import Level
from retrieval.private_files import FOLDER_MODE, write_private

SCHEMA_VERSION = 1


class QuestionRun(msgspec.Struct, frozen=True, kw_only=True):
    query: str
    category: str
    seconds: float
    metrics: dict[str, float]
    results: list[tuple[str, int, int]]  # path, first and last line
    signals: dict[str, float] = {}  # what the headline figure loses without each signal; only what changes it


class RepositoryRun(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    language: str
    chunks: int
    index_seconds: float | None  # of an index from nothing; None where one was there
    questions: list[QuestionRun]

    def mean(self, metric: str) -> float:
        return statistics.fmean(question.metrics[metric] for question in self.questions)


class BenchmarkRun(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    level: Level
    repositories: list[RepositoryRun]

    @property
    def metrics(self) -> list[str]:
        return list(self.repositories[0].questions[0].metrics)

    def mean(self, metric: str) -> float:
        """The mean over repositories of the mean over their questions."""
        return statistics.fmean(repository.mean(metric) for repository in self.repositories)

    def by(self, group: Callable[[RepositoryRun, QuestionRun], str], metric: str) -> dict[str, tuple[float, int]]:
        """The same for groups of questions, with their number."""
        values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for repository in self.repositories:
            for question in repository.questions:
                values[group(repository, question)][repository.name].append(question.metrics[metric])
        return {
            name: (statistics.fmean(map(statistics.fmean, found.values())), sum(map(len, found.values())))
            for name, found in sorted(values.items())
        }

    @property
    def seconds(self) -> list[float]:
        """Of all queries, ascending."""
        return sorted(question.seconds for repository in self.repositories for question in repository.questions)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = SCHEMA_VERSION
    created: str  # UTC
    version: str  # of the program
    encoder: str
    ranking: str
    benchmarks: list[BenchmarkRun]


def save(run: Run, path: Path) -> None:
    """Save a run, readable by its owner alone: it holds questions and paths of what may be private."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    write_private(path, msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")


def load(path: Path) -> Run:
    """Raises QueryError for a file that is no run."""
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except FileNotFoundError:
        raise QueryError(f"There is no {path}: give a run that `c2llm evaluate search` saved.") from None
    except (OSError, msgspec.DecodeError) as error:
        raise QueryError(f"{path} is not a run that `c2llm evaluate search` saved: {error}.") from error
    if run.schema_version != SCHEMA_VERSION or not all(b.repositories for b in run.benchmarks):
        raise QueryError(f"{path} was saved by another version of c2llm: run the evaluation again.")
    return run
