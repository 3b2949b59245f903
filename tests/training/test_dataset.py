from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tokenizers = pytest.importorskip("tokenizers")

from retrieval.model.config import EMBEDDED  # noqa: E402
from retrieval.training.batches import Batches, Variation  # noqa: E402
from retrieval.training.dataset import TokenizedPairs, save_arrays, tokenize  # noqa: E402
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
                "package": f"p{i % 3}",
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


PLAIN = Variation(*([0.0] * 10))
WIDE = replace(CONFIG, query_instruction="q:", max_query_tokens=40, max_passage_tokens=200)


def flattened(batches: Batches) -> list[int]:
    return np.concatenate(batches.epoch(0)).tolist()


def test_an_epoch_shows_nearly_every_row_and_none_twice(pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer) -> None:
    flat = flattened(Batches(pairs, tokenizer, CONFIG, size=8, seed=5))
    assert len(set(flat)) == len(flat) >= 0.75 * len(pairs)


def test_batches_are_of_one_language_but_for_a_share_that_mixes(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer
) -> None:
    def languages(variation: Variation) -> set[int]:
        batches = Batches(pairs, tokenizer, CONFIG, size=8, seed=5, variation=variation)
        return {len(set(pairs.languages[rows].tolist())) for rows in batches.epoch(0)}

    assert languages(PLAIN) == languages(replace(PLAIN, package_batches=0.5)) == {1}
    assert 2 in languages(replace(PLAIN, mixed_batches=0.5))


def test_package_batches_stand_in_runs_of_one_package(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.training.batches.PACKAGE_RUN", 4)

    def changes(share: float) -> int:
        batches = Batches(pairs, tokenizer, CONFIG, size=8, seed=5, variation=replace(PLAIN, package_batches=share))
        return sum(int((np.diff(pairs.packages[rows]) != 0).sum()) for rows in batches.epoch(0))

    assert changes(1.0) < changes(0.0) / 2


def test_a_pair_without_variation_is_its_doc_and_its_whole_passage_without_folders(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer
) -> None:
    batches = Batches(pairs, tokenizer, WIDE, size=8, seed=5, variation=PLAIN)
    batch, rows = batches.batch(0), batches.epoch(0)[0]
    for ids, mask, expected in zip(batch.query_ids, batch.query_mask, batches.evaluation(rows, "query"), strict=True):
        assert ids[mask > 0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    "shown",
    [
        "name_queries",
        "file_queries",
        "phrase_queries",
        "no_path",
        "no_name",
        "doc_in_passage",
        "later_start",
        "token_dropout",
    ],
)
def test_each_variation_changes_what_is_shown(
    pairs: TokenizedPairs, tokenizer: tokenizers.Tokenizer, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    monkeypatch.setattr("retrieval.training.batches.MIN_BODY_TOKENS", 4)

    def texts(variation: Variation) -> str:
        batch = Batches(pairs, tokenizer, WIDE, size=8, seed=5, variation=variation).batch(0)
        return f"{batch.query_ids.tolist()} {batch.passage_ids.tolist()}"

    assert texts(replace(PLAIN, **{shown: 0.6})) != texts(PLAIN)


def test_what_answers_a_query_as_well_is_no_negative(tokenizer: tokenizers.Tokenizer, tmp_path: Path) -> None:
    row = {"package": "p", "language": "go", "path": "a/reader.go", "qualified": "readAll"}
    parts = [
        {"doc": "Read every record.", "body": "read(record)"},
        {"doc": "Read every record.", "body": "open(file)"},
        {"doc": "Close the queue.", "body": "read(record)"},
        {"doc": "Merge a table.", "body": "merge(table)"},
    ]
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row | part) for part in parts))

    def ignored(variation: Variation) -> list[list[int]]:
        batches = Batches(tokenize(source, tokenizer), tokenizer, WIDE, size=4, seed=1, variation=variation)
        order, found = batches.epoch(0)[0], batches.batch(0).ignored
        assert found is not None
        return [sorted(order[found[i]].tolist()) for i in np.argsort(order)]

    assert ignored(PLAIN) == [[1, 2], [0], [0], []]
    assert ignored(replace(PLAIN, name_queries=1.0)) == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_arrays_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: Any, **_: Any) -> None:
        handle.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        save_arrays(tmp_path / "train.npz", numbers=np.arange(3))
    assert not (tmp_path / "train.npz").exists()
