"""Two runs over the same questions: which is better, how sure that is, and who won and lost.

The differences of a question between the runs are drawn anew, within each repository, some thousand times (a paired bootstrap).
An interval that does not hold 0 tells a difference from luck in the choice of the questions, for these repositories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import QueryError
from retrieval.evaluation.question_metrics import HEADLINE
from retrieval.evaluation.run_file import BenchmarkRun, QuestionRun, Run

ROUNDS, SEED = 5_000, 7
LEVEL = 95  # percent of an interval

Values = NDArray[np.float64]
Key = tuple[str, str, int]  # repository, query, which of equal ones


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two runs over the questions that both have; positive where the second is better."""

    benchmark: str
    metric: str
    before: float
    after: float
    low: float  # of the interval of the difference
    high: float
    won: int  # questions
    lost: int
    questions: int
    headline: bool

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def verdict(self) -> str:
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "no difference"


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question whose headline figure changed."""

    benchmark: str
    repository: str
    query: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    changes: tuple[QuestionChange, ...]  # the greatest losses first, the greatest gains last
    unmatched: int  # questions that only one of the runs has

    @property
    def worse(self) -> bool:
        """Whether the headline figure of a benchmark is worse, and that is no luck."""
        return any(difference.headline and difference.verdict == "worse" for difference in self.differences)


def compare(before: Run, after: Run) -> Comparison:
    """Raises QueryError where the runs have no question in common."""
    others = {run.name: run for run in after.benchmarks}
    differences: list[Difference] = []
    changes: list[QuestionChange] = []
    unmatched = 0
    for first in before.benchmarks:
        second = others.pop(first.name, None)
        old, new = _questions(first), _questions(second) if second else {}
        shared = [key for key in old if key in new]
        unmatched += len(old) + len(new) - 2 * len(shared)
        if shared:
            pairs = {key: (old[key], new[key]) for key in shared}
            differences += _differences(first, pairs)
            changes += _changes(first, pairs)
    unmatched += sum(len(_questions(run)) for run in others.values())
    if not differences:
        raise QueryError("The two runs have no question in common: run both over the same benchmark.")
    changes.sort(key=lambda change: change.after - change.before)
    return Comparison(tuple(differences), tuple(changes), unmatched)


def interval(groups: Sequence[Values], rounds: int = ROUNDS) -> tuple[float, float]:
    """The interval of a mean over groups of the mean over their values; values are drawn anew within each group."""
    rng = np.random.default_rng(SEED)
    means = np.mean(
        [values[rng.integers(0, len(values), (rounds, len(values)))].mean(axis=1) for values in groups], axis=0
    )
    low, high = np.percentile(means, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)


def _questions(run: BenchmarkRun) -> dict[Key, QuestionRun]:
    seen: Counter[tuple[str, str]] = Counter()
    questions: dict[Key, QuestionRun] = {}
    for repository in run.repositories:
        for question in repository.questions:
            name = (repository.name, question.query)
            questions[repository.name, question.query, seen[name]] = question
            seen[name] += 1
    return questions


def _differences(run: BenchmarkRun, pairs: Mapping[Key, tuple[QuestionRun, QuestionRun]]) -> Iterator[Difference]:
    repositories = list(dict.fromkeys(key[0] for key in pairs))
    shared = set.intersection(*(set(old.metrics) & set(new.metrics) for old, new in pairs.values()))
    for metric in (metric for metric in run.metrics if metric in shared):
        groups = [
            np.array(
                [(old.metrics[metric], new.metrics[metric]) for key, (old, new) in pairs.items() if key[0] == name]
            )
            for name in repositories
        ]
        changes = [group[:, 1] - group[:, 0] for group in groups]
        low, high = interval(changes)
        every = np.concatenate(changes)
        yield Difference(
            benchmark=run.name,
            metric=metric,
            before=float(np.mean([group[:, 0].mean() for group in groups])),
            after=float(np.mean([group[:, 1].mean() for group in groups])),
            low=low,
            high=high,
            won=int((every > 0).sum()),
            lost=int((every < 0).sum()),
            questions=len(every),
            headline=metric == HEADLINE[run.level],
        )


def _changes(run: BenchmarkRun, pairs: Mapping[Key, tuple[QuestionRun, QuestionRun]]) -> list[QuestionChange]:
    metric = HEADLINE[run.level]
    return [
        QuestionChange(run.name, repository, query, old.metrics[metric], new.metrics[metric])
        for (repository, query, _), (old, new) in pairs.items()
        if old.metrics[metric] != new.metrics[metric]
    ]
