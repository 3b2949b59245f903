"""Shapes compared, at a size that takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "onnxscript")

from retrieval.encoders import OverlapEncoder, load  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.training.model_sizes import MODEL_SIZES, Folders, ModelSize, TrainingBudget, compare, table  # noqa: E402
from retrieval.training.recipe import Recipe, prepare  # noqa: E402
from tests.training.test_dataset import write_pairs  # noqa: E402

SMALL = (
    ModelSize(layers=0, width=32, dimension=16, vocabulary=150),
    ModelSize(layers=1, width=32, dimension=16, vocabulary=150),
)


def test_each_differs_from_the_embedded_one_in_one_thing() -> None:
    usual = MODEL_SIZES[0]
    for shape in MODEL_SIZES[1:]:
        assert sum(a != b for a, b in zip(shape.name.split("-"), usual.name.split("-"), strict=True)) == 1
        C2LLM(shape.config)  # heads and widths fit


@pytest.mark.slow
def test_what_was_trained_is_measured_loadable_and_not_trained_again(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
    prepare(tmp_path, tmp_path / "run", Recipe())
    asked: list[str] = []

    def teacher(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return OverlapEncoder().encode_passages(texts)

    def all_of_them() -> list[str]:
        found = compare(
            Folders(tmp_path, tmp_path / "run", tmp_path / "out"),
            teacher,
            lambda folder: load(str(folder)).encode_passages,
            shapes=SMALL,
            budget=TrainingBudget(seconds=0.0, batch=16),
        )
        assert [len(result.steps) for result in found] == [1, 2]
        assert all(0 <= result.mrr <= 1 and result.passages_per_second > 0 for result in found)
        assert found[1].parameters > found[0].parameters and found[0].megabytes > 0
        return list(table(found))

    lines = all_of_them()
    assert len(lines) == 2 + len(SMALL)
    assert lines[2].startswith("| 0 | 32 | 16 | 150 |")
    assert len(asked) == len(set(asked))  # the teacher reads a token once
    asked.clear()
    assert all_of_them() == lines and not asked
