from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "onnxscript")

from tests.cli.program import Program  # noqa: E402
from tests.training.test_fit import C2LLM, CONFIG, WORDS  # noqa: E402
from tests.training.test_fit import tokenizer as tokenizer  # noqa: E402, PLC0414


@pytest.fixture
def start(tmp_path: Path, tokenizer: object) -> Path:
    C2LLM(replace(CONFIG, num_hidden_layers=0)).save(tmp_path / "start")  # exported in half the time
    tokenizer.save(str(tmp_path / "start" / "tokenizer.json"))  # type: ignore[attr-defined]
    return tmp_path / "start"


@pytest.mark.slow
def test_training_gives_a_model_that_search_can_use(c2llm: Program, tmp_path: Path, start: Path) -> None:
    (tmp_path / "tasks").mkdir()
    rows = [{"query": WORDS[i], "positive": WORDS[i + 30]} for i in range(30)]
    (tmp_path / "tasks" / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = ("train", tmp_path / "tasks", "--model", start, "--out", tmp_path / "out", "--steps", "4", "--batch", "8")
    assert c2llm(*options).no_traceback().code == 0
    again = c2llm(*options).no_traceback()
    assert again.code == 0 and "going on at step 4" in again.err
    assert c2llm("model", "--json", "--encoder", tmp_path / "out").no_traceback().code == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [(("--weight", "mine"), "TASK=NUMBER"), ((), "There is no task")],
)
def test_what_is_wrong_is_one_sentence(
    c2llm: Program, tmp_path: Path, start: Path, more: tuple[str, ...], told: str
) -> None:
    result = c2llm("train", tmp_path, "--model", start, "--out", tmp_path / "out", *more).no_traceback()
    assert result.code == 2 and told in result.err
