from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from retrieval.training.negatives import mine_hard_negatives
from retrieval.training.tasks import (
    CODE_SEARCH,
    DataError,
    Example,
    instruction_of,
    read_examples,
    read_tasks,
    usable,
    write_examples,
)


def write(path: Path, rows: list[object]) -> Path:
    path.write_bytes(b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows))
    return path


def test_rows_that_cannot_be_used_are_counted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = {"query": "open a file", "positive": "open(path)"}
    rows = [
        good, b"\xff\xfe\n", b"{half\n", ["list"], {"query": "x"}, {"query": 1, "positive": "x"}, {"query": "  ", "positive": "x"},
        {"query": "x", "positive": " x"}, {**good, "negatives": "text"}, b"\n", {**good, "negatives": ["n"]},
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING):
        found = list(usable(read_examples(write(tmp_path / "t.jsonl", rows)), "t.jsonl"))
    assert found == [Example("open a file", "open(path)"), Example("open a file", "open(path)", ("n",))]
    assert "t.jsonl: left out" in caplog.text
    for told in (
        "2 rows (no query or no positive)",
        "1 rows (not in UTF-8)",
        "1 rows (without text)",
        "1 rows (no JSON)",
    ):
        assert told in caplog.text


def test_examples_survive_the_disk(tmp_path: Path) -> None:
    examples = [Example("größe 🙂", "a\nb", ("c",)), Example("q", "p")]
    assert write_examples(examples, tmp_path / "deep" / "t.jsonl") == 2
    assert list(read_examples(tmp_path / "deep" / "t.jsonl")) == examples


def test_a_folder_of_tasks_has_instructions_weights_and_held_out_examples(tmp_path: Path) -> None:
    for name in ("apps", "mine"):
        write(tmp_path / f"{name}.jsonl", [{"query": f"q{i}", "positive": f"p{i}"} for i in range(30)])
    apps, mine = read_tasks(tmp_path, weights={"apps": 0.5})
    assert (apps.weight, mine.weight) == (0.5, 1.0)
    assert "contest" in apps.query_instruction and mine.query_instruction == CODE_SEARCH
    assert len(apps.examples) == 27 and [example.query for example in apps.held_out] == ["q27", "q28", "q29"]


@pytest.mark.parametrize(
    ("rows", "weights", "told"),
    [
        (None, {}, "There is no task"),
        ([], {}, "0 usable examples"),
        ([{"query": "a", "positive": "b"}] * 3, {"other": 1.0}, "'other'"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told_in_words(
    tmp_path: Path, rows: list[object] | None, weights: dict[str, float], told: str
) -> None:
    if rows is not None:
        write(tmp_path / "t.jsonl", rows)
    with pytest.raises(DataError, match=told):
        read_tasks(tmp_path, weights=weights)


def test_instructions_end_with_a_line() -> None:
    assert instruction_of("unheard of") == CODE_SEARCH
    assert all(instruction_of(name).endswith(("\n", ":\n")) for name in ("cosqa", "halves", "similar"))


def vectors(*rows: list[float]) -> np.ndarray:
    array = np.array(rows, dtype=np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


EXAMPLES = [Example(f"q{i}", f"p{i}") for i in range(4)]
PASSAGES = vectors([1, 0, 0], [0.8, 0.6, 0], [0.5, 0, 0.9], [0, 0, 1])


def negatives(
    queries: np.ndarray, passages: np.ndarray = PASSAGES, examples: list[Example] = EXAMPLES
) -> list[tuple[str, ...]]:
    return [example.negatives for example in mine_hard_negatives(examples, queries, passages, count=2)]


def test_the_highest_rivals_become_negatives() -> None:
    assert negatives(PASSAGES)[0] == ("p1", "p2")


def test_a_rival_that_scores_like_the_positive_is_no_negative() -> None:
    queries = PASSAGES.copy()
    queries[0] = vectors([0.9, 0.3, 0])[0]  # nearly between p0 and p1
    assert negatives(queries)[0] == ("p2", "p3")


def test_copies_of_the_positive_and_answers_to_the_same_query_are_no_negatives() -> None:
    passages = PASSAGES.copy()
    passages[1] = vectors([1.0, 0.01, 0])[0]
    queries = PASSAGES.copy()
    queries[0] = vectors([1.0, -0.5, 0])[0]
    assert "p1" not in negatives(queries, passages)[0]
    same = [Example("q0", "p0"), Example("q0", "p1"), *EXAMPLES[2:]]
    assert "p1" not in negatives(PASSAGES, examples=same)[0]
