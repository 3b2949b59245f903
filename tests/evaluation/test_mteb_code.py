"""Our encoders on small tasks in mteb's own format; the data sets lie on disk as on the hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from c2llm_lsp.cli.evaluate import app
from c2llm_lsp.cli.evaluate_mteb import table
from retrieval.encoders import OverlapEncoder
from retrieval.encoders.onnx import OnnxEncoder, embedded_folder
from retrieval.encoders.protocol import InstructedEncoder, Vectors
from retrieval.errors import QueryError
from retrieval.evaluation.mteb_code import INSTRUCTIONS, PUBLISHED, MtebEncoder, MtebScores, run_tasks, task_names

README = """---
configs:
- config_name: default
  data_files: [{split: test, path: qrels.jsonl}]
- config_name: corpus
  data_files: [{split: corpus, path: corpus.jsonl}]
- config_name: queries
  data_files: [{split: queries, path: queries.jsonl}]
---
"""
CODE = {
    "c1": "def add_item(cart, item): cart.items.append(item)",
    "c2": "def total_price(cart): return sum(item.price for item in cart.items)",
    "c3": "def send_mail(address, text): smtp.send(address, text)",
}
ASKED = {"q1": ("total price of the cart", "c2"), "q2": ("send a mail to an address", "c3")}


class Instructed(OverlapEncoder):
    """Remembers under which instruction it read, and how much."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, int]] = []

    def encode_queries_as(self, texts: Sequence[str], instruction: str) -> Vectors:
        self.read.append((instruction, len(texts)))
        return self.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.read.append(("", len(texts)))
        return super().encode_passages(texts)


def lay_out_task(folder: Path) -> None:
    """A task's data set."""
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(README)
    rows = {
        "corpus": [{"_id": name, "title": "", "text": text} for name, text in CODE.items()],
        "queries": [{"_id": name, "text": text} for name, (text, _) in ASKED.items()],
        "qrels": [{"query-id": name, "corpus-id": code, "score": 1} for name, (_, code) in ASKED.items()],
    }
    for name, data in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in data))


def encoded(model: MtebEncoder, task: str, prompt: str, texts: list[str]) -> Vectors:
    return model.encode([{"text": texts}], task_metadata=SimpleNamespace(name=task), prompt_type=prompt)


def test_the_tasks_are_those_of_mteb_code_under_the_instructions_of_the_report() -> None:
    assert len(INSTRUCTIONS) == 12
    assert all(instruction.endswith("\n") for instruction in INSTRUCTIONS.values())
    assert "contest" in INSTRUCTIONS["AppsRetrieval"] and "SQL" in INSTRUCTIONS["SyntheticText2SQL"]
    assert INSTRUCTIONS["COIRCodeSearchNetRetrieval"].startswith(
        "Given a code snippet, retrieve its corresponding document"
    )
    assert task_names(["cosqa", "CosQA"]) == ["CosQA"]
    assert task_names([]) == list(INSTRUCTIONS)
    with pytest.raises(QueryError, match=r"no task 'Apps'.*AppsRetrieval"):
        task_names(["Apps"])


def test_queries_have_the_instruction_of_their_task_and_passages_none(tmp_path: Path) -> None:
    encoder = Instructed()
    model = MtebEncoder(encoder, tmp_path)
    encoded(model, "CosQA", "query", ["a", "b"])
    encoded(model, "CosQA", "document", ["c"])
    assert encoder.read == [(INSTRUCTIONS["CosQA"], 2), ("", 1)]


def test_vectors_are_read_again_instead_of_made_again_but_not_for_another_instruction(tmp_path: Path) -> None:
    first = encoded(MtebEncoder(Instructed(), tmp_path), "CosQA", "query", ["a", "b"])
    encoder = Instructed()
    again = encoded(MtebEncoder(encoder, tmp_path), "CosQA", "query", ["a", "b"])
    assert encoder.read == []
    assert np.array_equal(first, again)
    encoded(MtebEncoder(encoder, tmp_path), "AppsRetrieval", "query", ["a", "b"])
    assert encoder.read == [(INSTRUCTIONS["AppsRetrieval"], 2)]
    next(iter(tmp_path.glob("*.npy"))).write_bytes(b"half of a file")
    encoded(MtebEncoder(encoder, tmp_path), "CosQA", "query", ["a", "b"])
    encoded(MtebEncoder(encoder, tmp_path), "AppsRetrieval", "query", ["a", "b"])
    assert len(encoder.read) == 2  # the damaged one was made anew


def test_an_instruction_changes_the_vectors_of_our_models() -> None:
    encoder = OnnxEncoder(embedded_folder(), name="embedded")
    assert isinstance(encoder, InstructedEncoder)
    own, same = encoder.encode_queries(["sum"]), encoder.encode_queries_as(["sum"], encoder.config.query_instruction)
    other = encoder.encode_queries_as(["sum"], INSTRUCTIONS["SyntheticText2SQL"])
    assert np.allclose(own, same, atol=1e-6)
    assert not np.allclose(own, other, atol=1e-3)


def test_the_table_compares_with_the_published_means_only_over_all_tasks() -> None:
    some = "\n".join(table("ours", MtebScores({"CosQA": 40.0, "AppsRetrieval": 20.0})))
    assert "mean of 2                       30.00" in some and "cannot be compared" in some
    every = "\n".join(table("ours", MtebScores(dict.fromkeys(INSTRUCTIONS, 70.0))))
    assert "published: C2LLM-0.5B           75.46  (-5.46 against it)" in every
    assert PUBLISHED == {"C2LLM-0.5B": 75.46, "C2LLM-7B": 80.75}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of two tasks, of which the second cannot be read; nothing is looked up elsewhere."""
    pytest.importorskip("mteb", reason="mteb and its data frames take 500 MB")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    folder = tmp_path / "data"
    lay_out_task(folder / "AppsRetrieval")
    lay_out_task(folder / "CosQA")
    (folder / "CosQA" / "corpus.jsonl").unlink()
    return folder


@pytest.mark.slow
def test_a_task_is_scored_once_and_what_stops_another_is_told(data: Path, tmp_path: Path) -> None:
    encoder, folder = Instructed(), tmp_path / "cache"
    scores = run_tasks(encoder, ["AppsRetrieval", "CosQA"], folder, data)
    assert scores.scores == {"AppsRetrieval": pytest.approx(100.0)}
    assert set(scores.failures) == {"CosQA"}
    assert (INSTRUCTIONS["AppsRetrieval"], 2) in encoder.read
    assert not list((folder / "vectors").rglob("*.npy"))
    again = Instructed()
    assert run_tasks(again, ["AppsRetrieval"], folder, data).scores == scores.scores
    assert again.read == []


@pytest.mark.slow
def test_the_command_prints_scores_and_leaves_with_1_where_some_are_missing(data: Path, tmp_path: Path) -> None:
    fixed = ["mteb", "--model", "overlap", "--data", str(data), "--cache-dir", str(tmp_path / "cache"), "-q"]
    done = CliRunner().invoke(app, [*fixed, "--tasks", "appsretrieval", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["scores"] == {"AppsRetrieval": pytest.approx(100.0)}
    some = CliRunner().invoke(app, [*fixed, "--tasks", "CosQA,AppsRetrieval"])
    assert some.exit_code == 1
    assert "CosQA could not be run" in some.output and "AppsRetrieval                  100.00" in some.output
    assert CliRunner().invoke(app, [*fixed, "--tasks", "CosQA"]).exit_code == 2


def test_a_task_of_another_name_is_an_error_before_anything_is_loaded() -> None:
    result = CliRunner().invoke(app, ["mteb", "--model", "overlap", "--tasks", "nothing"])
    assert result.exit_code == 2
    assert "no task 'nothing'" in result.output
