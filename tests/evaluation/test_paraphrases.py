from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path

import pytest

from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.evaluation.paraphrases import (
    Question,
    definition_lines,
    mean_by_part,
    questions,
    reciprocal_ranks,
)
from tests.cli.program import Program


def library(root: Path) -> Path:
    (root / "dice.py").write_text("import os\n\n\ndef throw(sides):\n    return os.urandom(1)[0] % sides\n")
    (root / "letters.py").write_text("def deliver(letter):\n    return letter.recipient\n")
    return root


def test_a_definition_that_comes_first_has_rank_one_and_one_that_is_not_there_none(tmp_path: Path) -> None:
    asked = [
        Question("throw sides", "dice.py", "throw", held_out=False),
        Question("throw sides", "letters.py", "absent", held_out=True),
    ]
    ranks = reciprocal_ranks(OverlapEncoder(), ["dense", "full"], asked, library(tmp_path))
    assert ranks == {"dense": [1.0, 0.0], "full": [1.0, 0.0]}
    assert mean_by_part(asked, ranks["full"]) == (1.0, 0.0)


def test_a_definition_that_comes_second_has_rank_a_half(tmp_path: Path) -> None:
    asked = [
        Question("throw sides", "letters.py", "deliver", held_out=False),
        Question("throw sides", "dice.py", "throw", held_out=True),
    ]
    assert reciprocal_ranks(OverlapEncoder(), ["dense"], asked, library(tmp_path)) == {"dense": [0.5, 1.0]}


def test_every_other_question_is_held_out() -> None:
    asked = questions()
    assert len(asked) > 60
    assert [question.held_out for question in asked[:4]] == [False, True, False, True]
    assert len({(question.path, question.symbol) for question in asked}) == len(asked)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="files of the library move from version to version")
def test_each_question_names_a_definition_of_the_library() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"])
    assert [q for q in questions() if not definition_lines(folder / q.path, q.symbol)] == []


@pytest.mark.slow
def test_they_are_asked_by_a_command(tmp_path: Path) -> None:
    c2llm = Program(tmp_path)
    result = c2llm("evaluate", "paraphrases", "--encoder", "overlap", "--ranking", "words", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)["overlap words"]
    assert 0 < found["developing"] < 1 and 0 < found["held_out"] < 1
    assert "There is no ranking 'best'" in c2llm("evaluate", "paraphrases", "--ranking", "best").err
