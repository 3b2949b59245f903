"""Which of several runs over the same questions is best, and which are as good within the error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from retrieval.evaluation.compare import interval
from retrieval.evaluation.question_metrics import HEADLINE
from retrieval.evaluation.run_file import BenchmarkRun, Run


@dataclass(frozen=True, slots=True)
class Choice:
    """One configuration: its main figure over all kinds of questions, with the interval, and what it is behind the best."""

    name: str
    value: float
    low: float
    high: float
    behind: tuple[float, float]  # the interval of the best one's lead
    seconds: float  # of a query, median

    @property
    def as_good(self) -> bool:
        """Whether the best one's lead may be luck."""
        return self.behind[0] <= 0


def choose(runs: Mapping[str, Run]) -> list[Choice]:
    """The configurations, best first; kinds of questions weigh the same."""
    values = {name: [_values(benchmark) for benchmark in run.benchmarks] for name, run in runs.items()}
    means = {name: fmean(float(group.mean()) for group in groups) for name, groups in values.items()}
    order = sorted(means, key=lambda name: -means[name])
    best = values[order[0]]
    return [
        Choice(
            name,
            means[name],
            *interval(values[name]),
            behind=interval([lead - own for lead, own in zip(best, values[name], strict=True)]),
            seconds=float(np.median([second for benchmark in runs[name].benchmarks for second in benchmark.seconds])),
        )
        for name in order
    ]


def _values(run: BenchmarkRun) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    metric = HEADLINE[run.level]
    return np.array([question.metrics[metric] for repository in run.repositories for question in repository.questions])
