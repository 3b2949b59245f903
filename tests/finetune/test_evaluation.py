from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders import load
from retrieval.engine import Workspace
from retrieval.finetune.dataset import collect
from retrieval.finetune.evaluation import RepositoryEvaluator, Score
from retrieval.finetune.finetuning import verdict
from tests.finetune.repository import repository


def score(ranked: list[float], dense: list[float]) -> Score:
    return Score(np.array(ranked), np.array(dense))


@pytest.mark.parametrize(
    ("ranked", "dense", "kept", "why"),
    [
        ([0.6] * 20, [0.6] * 20, True, "more than noise"),
        ([0.5] * 20, [0.9] * 20, False, "would be more than noise"),
        ([0.503] * 20, [0.5] * 20, False, "0.005 would be"),
        ([1.0, 0.05] * 10, [0.5] * 20, False, "would be more than noise"),
        ([0.6] * 20, [0.4] * 20, False, "vectors alone lose 0.100"),
        ([0.3] * 20, [0.5] * 20, False, "gains -0.200"),
    ],
)
def test_a_model_is_better_where_search_gains_more_than_noise_and_vectors_do_not_lose(
    ranked: list[float], dense: list[float], kept: bool, why: str
) -> None:
    better, reason = verdict(score([0.5] * 20, [0.5] * 20), score(ranked, dense))
    assert better is kept and why in reason


def test_asking_finds_what_words_find_and_leaves_no_trace(tmp_path: Path) -> None:
    encoder = load("overlap")
    with Workspace.open(repository(tmp_path, files=12), encoder=encoder) as workspace:
        workspace.refresh()
        change = workspace.store.revision
        material = collect(workspace.root, workspace.scanner, workspace.store.files.all())
        judge = RepositoryEvaluator(workspace.store, workspace.scanner, material.hidden, material.questions)
        found = judge.score(encoder)
        assert min(found.mean()) > 0.4
        assert workspace.store.revision == change
        asked = next(question for question in material.questions if question.kind == "comment")
        assert all(asked.text not in text for text in judge.passages(10_000) if asked.targets[0].path in text)
        whole = judge.compared
        judge.limit(whole - 5)
        assert judge.compared == whole - 5 and len(judge.score(encoder).dense) == len(material.questions)
