from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

tokenizers = pytest.importorskip("tokenizers")

from retrieval.model.config import EMBEDDED  # noqa: E402
from retrieval.training.dataset import Batches, TokenizedPairs, tokenize  # noqa: E402
from retrieval.training.tokenizer import blank_tokenizer, train_tokenizer  # noqa: E402

CONFIG = replace(EMBEDDED, max_query_tokens=12, max_passage_tokens=30, document_instruction="answer:")
VERBS, NOUNS = (
    ["open", "close", "read", "write", "sort", "merge"],
    ["file", "socket", "header", "table", "queue", "stack", "record"],
)


def write_pairs(path: Path, count: int = 84) -> None:
    rows = []
    for i in range(count):
        verb, noun = VERBS[i % 6], NOUNS[i % 7]
        rows.append(
            {
                "package": "p",
                "language": ["go", "python"][i % 2],
                "path": f"src/lib/{noun}s/{verb}er.py",
                "qualified": f"{noun.title()}.{verb}All",
                "doc": f"Please {verb} every {noun} number {i}.",
                "body": f"def {verb}_{noun}(self):\n    return self.{noun}s[{i}].{verb}({', '.join(NOUNS[: i % 7])})",
            }
        )
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_pairs(folder / "train.jsonl")
    train_tokenizer(folder, folder / "tokenizer.json", vocabulary=200)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def pairs(folder: Path, tokenizer: tokenizers.Tokenizer) -> TokenizedPairs:
    return tokenize(folder / "train.jsonl", tokenizer)


def words(text: str) -> list[str]:
    blank = blank_tokenizer()
    return [word for word, _ in blank.pre_tokenizer.pre_tokenize_str(blank.normalizer.normalize_str(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getHTTPResponse_code", ["get", "http", "response", "code"]),
        ("snake_case2camelCase", ["snake", "case", "2", "camel", "case"]),
        ("a->b(c); // done!", ["a", "b", "c", "done"]),
        ("XMLHttpRequest", ["xml", "http", "request"]),
        ("", []),
    ],
)
def test_identifiers_are_split_and_punctuation_dropped(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_offsets_point_into_the_original_text(tokenizer: tokenizers.Tokenizer) -> None:
    text = "openFile(readHeader)"
    assert [text[a:b] for a, b in tokenizer.encode(text).offsets] == ["open", "File", "read", "Header"]


def test_the_parts_put_together_are_the_passage(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer, folder: Path
) -> None:
    row = json.loads((folder / "train.jsonl").read_text().splitlines()[4])
    passage = f"{CONFIG.document_instruction}{row['path']}\n{row['qualified']}\n{row['body']}"
    batches = Batches(pairs, tokenizer, CONFIG, size=8, seed=0)
    (found,) = batches.evaluation(np.array([4]), "passage")
    assert found.tolist() == tokenizer.encode(passage).ids[: CONFIG.max_passage_tokens]


def test_arrays_survive_the_disk(pairs: TokenizedPairs, tmp_path: Path) -> None:
    pairs.save(tmp_path / "a.npz")
    loaded = TokenizedPairs.load(tmp_path / "a.npz")
    assert len(loaded) == len(pairs)
    for name in pairs.parts:
        assert loaded.parts[name][3].tolist() == pairs.parts[name][3].tolist()


def test_a_batch_depends_on_its_step_alone(pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer) -> None:
    forth, back = (Batches(pairs, tokenizer, CONFIG, size=8, seed=5) for _ in range(2))
    steps = range(2 * forth.per_epoch + 1)
    one = [forth.batch(step) for step in steps]
    other = {step: back.batch(step) for step in reversed(steps)}
    for step, batch in zip(steps, one, strict=True):
        np.testing.assert_array_equal(batch.passage_ids, other[step].passage_ids)
        np.testing.assert_array_equal(batch.query_ids, other[step].query_ids)


def test_a_batch_holds_one_language_and_an_epoch_no_row_twice(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer
) -> None:
    batches = Batches(pairs, tokenizer, CONFIG, size=8, seed=5)
    rows = batches._epoch(0)
    assert all(len(set(pairs.languages[chosen].tolist())) == 1 for chosen in rows)
    flat = np.concatenate(rows)
    assert len(set(flat.tolist())) == len(flat) >= 0.8 * len(pairs)
