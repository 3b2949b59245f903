"""The figures of one question are those that the benchmarks' judges compute."""

from __future__ import annotations

import math

import pytest

from retrieval.evaluation.benchmarks import Target
from retrieval.evaluation.question_metrics import Result, question_metrics


def result(path: str, first: int, last: int) -> Result:
    return Result(path, first, last, "\n".join(["word"] * (last - first + 1)))


def lines(text: str) -> int:
    """A token counter: each line is a token."""
    return text.count("\n") + 1


def test_targets_of_a_file_gain_once_and_from_the_first_result() -> None:
    targets = [Target("core.py", suffix=True), Target("b.py", suffix=True)]
    results = [result("x.py", 1, 5), result("src/core.py", 1, 5), result("src/core.py", 9, 12)]
    metrics = question_metrics(results, targets, "file", lines)
    assert metrics["ndcg@10"] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert (metrics["recall@1"], metrics["recall@5"], metrics["mrr"]) == (0.0, 0.5, 0.5)
    assert "lines@200" not in metrics


def test_a_function_counts_where_touched_lines_are_shown() -> None:
    targets = [Target("a.py", ((20, 22),), (10, 30)), Target("b.py", ((5, 5),), (1, 9))]
    results = [
        result("a.py", 10, 19),
        result("a.py", 22, 40),
        *[result("c.py", n, n) for n in range(19)],
        result("b.py", 5, 5),
    ]
    metrics = question_metrics(results, targets, "function", lines)
    assert (metrics["recall@1"], metrics["recall@5"], metrics["recall@20"]) == (0.0, 0.5, 0.5)
    assert (metrics["mrr"], metrics["span@10"], metrics["file recall@10"]) == (0.5, 0.5, 0.5)
    assert metrics["file ndcg@10"] == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_budgets_are_read_in_order_up_to_the_line_that_answers() -> None:
    target = Target("a.py", ((150, 150),), (1, 300))
    late = [result("x.py", 1, 100), result("a.py", 1, 300)]  # the line is the 250th
    metrics = question_metrics(late, [target], "function", lambda text: 5 * lines(text))
    assert (metrics["lines@200"], metrics["lines@500"]) == (0.0, 1.0)
    assert (metrics["tokens@1k"], metrics["tokens@2k"]) == (0.0, 1.0)  # 1,250 tokens


def test_no_result_is_worth_nothing() -> None:
    metrics = question_metrics([], [Target("a.py", ((1, 1),), (1, 1))], "function", lines)
    assert set(metrics.values()) == {0.0}
