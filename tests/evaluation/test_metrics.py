from __future__ import annotations

import math

import pytest

from retrieval.evaluation.metrics import FileSpan, ndcg, targets_of


def test_paths_match_by_suffix_at_a_folder_border() -> None:
    assert FileSpan("core.py").covers(FileSpan("src/click/core.py"))
    assert not FileSpan("core.py").covers(FileSpan("src/click/encore.py"))


def test_lines_must_overlap_where_the_target_has_them() -> None:
    target = FileSpan("a.py", 10, 20)
    assert FileSpan("a.py", 20, 30).covers(target)
    assert not FileSpan("a.py", 21, 30).covers(target)
    assert FileSpan("a.py").covers(target)


def test_a_second_hit_on_one_target_gains_nothing() -> None:
    once = ndcg([FileSpan("a.py")], [FileSpan("a.py"), FileSpan("b.py")])
    twice = ndcg([FileSpan("a.py"), FileSpan("a.py")], [FileSpan("a.py"), FileSpan("b.py")])
    assert once == twice == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_the_eleventh_result_is_too_late() -> None:
    late = [FileSpan(f"{n}.py") for n in range(10)] + [FileSpan("a.py")]
    assert ndcg(late, [FileSpan("a.py")]) == 0


def test_targets_are_relevant_and_secondary() -> None:
    annotation = {"relevant": ["a.py"], "secondary": [{"path": "b.py", "start_line": 1, "end_line": 2}]}
    assert targets_of(annotation) == [FileSpan("a.py"), FileSpan("b.py", 1, 2)]


def test_a_query_without_targets_is_an_error() -> None:
    with pytest.raises(ValueError, match="without targets"):
        ndcg([], [])
