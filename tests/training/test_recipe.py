from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "tokenizers")

from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import EMBEDDED  # noqa: E402
from retrieval.training.recipe import AVERAGED, FLAT, STACKED, Recipe, prepare, train_stages  # noqa: E402
from retrieval.training.tasks import DataError  # noqa: E402
from tests.training.test_dataset import write_pairs  # noqa: E402

SMALL = replace(EMBEDDED, hidden_size=16, compressed_dim=16, intermediate_size=24, vocab_size=200, pma_num_heads=2)
STAGES = tuple(
    replace(step, stage=replace(step.stage, steps=4, validate_every=2), english=False, prose=0.0) for step in STACKED
)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_an_empty_corpus_is_told_before_anything_is_written(tmp_path: Path, split: str) -> None:
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl", 4)
    (tmp_path / f"{split}.jsonl").write_text("")
    with pytest.raises(DataError, match=f"{split}.jsonl holds no pairs"):
        prepare(tmp_path, tmp_path / "run", Recipe())
    assert not (tmp_path / "run").exists()


def stages(run: Path) -> list[Path]:
    return sorted(run.glob("stage*"))


@pytest.mark.slow
def test_the_stages_run_one_after_the_other_and_are_not_run_again(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
    recipe = Recipe(SMALL, batch=16, steps=STAGES)
    prepare(tmp_path, tmp_path / "run", recipe)
    last = train_stages(tmp_path / "run", recipe, None)
    assert last.name == "averaged" and C2LLM.load(last).config.num_hidden_layers == 2
    *parts, mean = (
        C2LLM.load(folder).state_dict() for folder in (*(stages(last.parent)[number] for number in AVERAGED), last)
    )
    assert len(parts) == 3
    assert all(torch.allclose(mean[name], sum(part[name] for part in parts) / 3, atol=1e-6) for name in mean)
    assert any(not torch.equal(parts[1][name], parts[2][name]) for name in mean)
    assert C2LLM.load(tmp_path / "run" / "stage0").config.num_hidden_layers == 0
    before = (tmp_path / "run" / "stage0" / "model.safetensors").stat().st_mtime_ns
    train_stages(tmp_path / "run", recipe, None)
    assert (tmp_path / "run" / "stage0" / "model.safetensors").stat().st_mtime_ns == before


def test_the_longer_recipe_begins_with_the_shorter_one() -> None:
    assert STACKED[: len(FLAT)] == FLAT


def test_what_is_averaged_goes_on_from_the_same_model() -> None:
    def origin(number: int) -> int:
        return number if number <= 2 else origin(STACKED[number].start % number)

    assert {origin(number) for number in AVERAGED} == {2}


def test_rows_without_a_package_can_be_trained_on(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
        rows = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for row in rows:
            del row["package"]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = Recipe(SMALL, batch=16, steps=STAGES[:1], averaged=())
    prepare(tmp_path, tmp_path / "run", recipe)
    assert train_stages(tmp_path / "run", recipe, None).name == "stage0"
