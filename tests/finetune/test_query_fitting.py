"""The fit of a map of queries: what all passages share is taken off, and queries move to where their answers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders.query_map import QUERY_MAP_NAME
from retrieval.finetune.query_fitting import OFFSET, fit_vectors, save_beside
from retrieval.finetune.registry import AdaptError
from retrieval.finetune.run_options import FinetuneOptions


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def likeness(queries: np.ndarray, answers: np.ndarray) -> float:
    return float((queries * answers).sum(axis=1).mean())


def test_new_queries_come_nearer_to_their_answers() -> None:
    random = np.random.default_rng(1)
    answers = unit(random.normal(size=(600, 16)))
    turn = np.linalg.qr(np.eye(16) + 0.3 * random.normal(size=(16, 16)))[0]
    queries = unit(answers @ turn + 0.2 * random.normal(size=answers.shape))
    fitted = fit_vectors(queries[:500], answers[:500], np.zeros(16, np.float32))
    assert likeness(fitted.apply(queries[500:]), answers[500:]) > likeness(queries[500:], answers[500:]) + 0.01


def test_without_pairs_only_what_passages_share_is_taken_off() -> None:
    mean = np.array([0.6, 0.0, 0.2], np.float32)
    fitted = fit_vectors(np.empty((0, 3), np.float32), np.empty((0, 3), np.float32), mean)
    assert np.array_equal(fitted.matrix, np.eye(3)) and np.allclose(fitted.offset, -OFFSET * mean)


def test_pairs_that_are_all_the_same_change_nothing_else() -> None:
    same = unit(np.ones((5, 4)))
    fitted = fit_vectors(same, same, np.zeros(4, np.float32))
    assert np.allclose(fitted.apply(same), same, atol=1e-6)


def test_the_model_folder_is_copied_with_the_map(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / QUERY_MAP_NAME).write_bytes(b"an older one")
    fitted = fit_vectors(np.empty((0, 3), np.float32), np.empty((0, 3), np.float32), np.zeros(3, np.float32))
    out = save_beside(fitted, model, tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["config.json", QUERY_MAP_NAME]
    assert (model / QUERY_MAP_NAME).read_bytes() == b"an older one"


@pytest.mark.parametrize(("way", "file"), [("query", QUERY_MAP_NAME), ("all", "passages.onnx")])
def test_a_model_that_cannot_be_adapted_so_is_told_in_words(tmp_path: Path, way: str, file: str) -> None:
    from retrieval.encoders import load
    from retrieval.finetune.dataset import RepositoryDataset
    from retrieval.finetune.finetuning import _finetune  # the step between two evaluations
    from retrieval.finetune.run_options import Control, Start

    (tmp_path / file).write_bytes(b"")
    start = Start("model", tmp_path, load("overlap"), load("overlap"), lambda folder: load("overlap"))
    control = Control(lambda *_: None, lambda: False)
    with pytest.raises(AdaptError, match="adapted model" if way == "query" else "--way query"):
        _finetune(start, RepositoryDataset((), {}, ()), [], FinetuneOptions(way=way), tmp_path / "work", control)  # type: ignore[arg-type]
