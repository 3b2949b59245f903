"""How well one question is answered: by rank, by lines shown, by tokens shown.

The figures are those of the benchmarks' own judges. A target counts from the first result that shows it. Budgets of lines and
tokens are read in order, so that wide results buy nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.evaluation.benchmarks import Level, Target

DEPTHS = (1, 5, 10, 20)
TOP = 10
MRR_DEPTH = 20
TOKEN_BUDGETS = {"1k": 1_000, "2k": 2_000, "4k": 4_000, "8k": 8_000}
LINE_BUDGETS = (200, 500)

NDCG, RECALL = "ndcg@10", "recall@10"
# The figure that a benchmark is about.
HEADLINE: dict[Level, str] = {"file": NDCG, "function": RECALL}


@dataclass(frozen=True, slots=True)
class Result:
    """What one result shows."""

    path: str
    first: int
    last: int
    text: str = ""


def question_metrics(
    results: Sequence[Result], targets: Sequence[Target], level: Level, count: Callable[[str], int]
) -> dict[str, float]:
    """Every figure of one question, 0..1. `count` gives the tokens of a text."""
    ranks = [_rank(results, target) for target in targets]
    found = [rank for rank in ranks if rank is not None]
    metrics = {NDCG: ndcg(ranks)}
    metrics |= {f"recall@{depth}": sum(rank < depth for rank in found) / len(targets) for depth in DEPTHS}
    metrics["mrr"] = 1 / (min(found) + 1) if found and min(found) < MRR_DEPTH else 0.0
    costs = _tokens_until_shown(results, targets, count)
    metrics |= {
        f"tokens@{name}": sum(cost <= budget for cost in costs) / len(targets) for name, budget in TOKEN_BUDGETS.items()
    }
    return metrics | _function_metrics(results, targets) if level == "function" else metrics


def ndcg(ranks: Sequence[int | None]) -> float:
    """Of the first ten results; targets that one result shows together gain once."""
    gain = sum(1 / math.log2(rank + 2) for rank in {rank for rank in ranks if rank is not None and rank < TOP})
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(TOP, len(ranks))))


def _function_metrics(results: Sequence[Result], targets: Sequence[Target]) -> dict[str, float]:
    """Figures by lines shown and by file, over the first 20 results."""
    results = results[: DEPTHS[-1]]
    metrics = {}
    for budget in LINE_BUDGETS:
        read = _within(results, budget)
        metrics[f"lines@{budget}"] = sum(_rank(read, target) is not None for target in targets) / len(targets)
    whole = [Target(target.path, (target.function,) if target.function else ()) for target in targets]
    metrics["span@10"] = sum(_rank(results[:TOP], target) is not None for target in whole) / len(targets)
    files, wanted = list(dict.fromkeys(result.path for result in results))[:TOP], {target.path for target in targets}
    hits = [rank for rank, path in enumerate(files) if path in wanted]
    metrics["file recall@10"] = len(hits) / len(wanted)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(len(wanted)))
    metrics["file ndcg@10"] = sum(1 / math.log2(rank + 2) for rank in hits) / ideal
    return metrics


def _rank(results: Sequence[Result], target: Target) -> int | None:
    return next((rank for rank, r in enumerate(results) if target.is_shown(r.path, r.first, r.last)), None)


def _within(results: Sequence[Result], budget: int) -> list[Result]:
    """The results as far as a reader of so many lines gets."""
    read = []
    for result in results:
        if budget <= 0:
            break
        read.append(Result(result.path, result.first, min(result.last, result.first + budget - 1)))
        budget -= result.last - result.first + 1
    return read


def _tokens_until_shown(
    results: Sequence[Result], targets: Sequence[Target], count: Callable[[str], int]
) -> list[float]:
    """For each target the tokens that a reader has read when its first line is shown; infinite where it is not."""
    costs, read = [math.inf] * len(targets), 0
    for result in results:
        for number, target in enumerate(targets):
            if costs[number] == math.inf and target.is_shown(result.path, result.first, result.last):
                starts = [
                    max(first, result.first)
                    for first, last in target.lines
                    if first <= result.last and result.first <= last
                ]
                shown = min(starts, default=result.first) - result.first + 1
                costs[number] = read + count("\n".join(result.text.split("\n")[:shown]))
        read += count(result.text)
    return costs
