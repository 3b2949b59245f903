from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "tokenizers")

from retrieval.encoders.token_overlap import OverlapEncoder  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.training.archives import ArchiveError  # noqa: E402
from retrieval.training.distillation import (  # noqa: E402
    DistillationData,
    InterleavedSource,
    NeighborhoodBatches,
    prepare_distillation,
    wordnet,
)
from retrieval.training.forward import encode  # noqa: E402
from retrieval.training.loss import InfoNce  # noqa: E402
from retrieval.training.recipe import Recipe, prepare, prepare_english, train_stages  # noqa: E402
from retrieval.training.tasks import DataError  # noqa: E402
from retrieval.training.tokenizer import blank_tokenizer  # noqa: E402
from retrieval.training.trainer import Stage, train  # noqa: E402
from tests.training.test_dataset import write_pairs  # noqa: E402
from tests.training.test_recipe import SMALL, STAGES  # noqa: E402
from tests.training.test_synonym_augmentation import package  # noqa: E402


def test_words_definitions_and_examples_of_words_that_code_uses_are_read(tmp_path: Path) -> None:
    tokenizer = blank_tokenizer()
    tokenizer.add_tokens(["picture", "small"])
    texts = list(wordnet(package(tmp_path), tokenizer))
    assert texts == [
        "picture, image, picture frame",
        "a visual representation",
        "pictures of the wedding",
        "small, little",
        "limited in size",
    ]


def test_a_package_that_does_not_unpack_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "wordnet-base.deb"
    broken.write_bytes(b"nothing")
    with pytest.raises(ArchiveError, match="download it again"):
        list(wordnet(broken, blank_tokenizer()))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A prepared folder: pairs as token arrays, and prose that a teacher has read, which knows texts by their words."""
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
    recipe = Recipe(SMALL, batch=16, steps=STAGES)
    prepare(tmp_path, tmp_path / "run", recipe)
    words = package(tmp_path)
    prepare_english(tmp_path, words, tmp_path / "run", OverlapEncoder().encode_passages)
    return tmp_path / "run"


def neighbourhoods(run: Path) -> tuple[DistillationData, NeighborhoodBatches]:
    from tokenizers import Tokenizer

    prose = DistillationData.load(run / "prose.npz")
    return prose, NeighborhoodBatches(prose, Tokenizer.from_file(str(run / "tokenizer.json")), SMALL, seed=1)


def test_a_batch_holds_neighbours_and_depends_on_the_step_alone(run: Path) -> None:
    prose, batches = neighbourhoods(run)
    batch = batches.batch(3)
    again = neighbourhoods(run)[1].batch(3)
    assert batch.teacher is not None and again.teacher is not None
    assert np.array_equal(batch.teacher, again.teacher) and np.array_equal(batch.query_ids, again.query_ids)
    assert batch.teacher.shape == (len(batch.query_ids), len(batch.passage_ids))
    assert len(batch.query_ids) <= len(batch.passage_ids)
    assert not np.array_equal(batch.query_ids, batches.batch(4).query_ids)
    chance = (prose.vectors @ prose.vectors.T).mean()
    assert batch.teacher.mean() > chance


def test_code_is_a_passage_and_never_a_query(run: Path) -> None:
    prose, batches = neighbourhoods(run)
    assert 0 < prose.code < len(prose.texts)
    for step in range(5):
        queries, passages = batches.rows(np.random.default_rng(step))
        assert (queries < prose.code).all()
        assert not set(queries.tolist()) & set(passages.tolist()) or len(queries) > prose.code // 2


@pytest.mark.slow
def test_similarities_move_towards_the_teachers(run: Path, tmp_path: Path) -> None:
    _, batches = neighbourhoods(run)
    torch.manual_seed(1)
    model = C2LLM(SMALL)
    unseen = batches.batch(1_000)

    def distance() -> float:
        rows = ((unseen.query_ids, unseen.query_mask), (unseen.passage_ids, unseen.passage_mask))
        queries, passages = (
            torch.from_numpy(encode(model, [row[seen > 0] for row, seen in zip(ids, mask, strict=True)]))
            for ids, mask in rows
        )
        return InfoNce().distilled(queries, passages, torch.from_numpy(unseen.teacher)).item()

    before = distance()
    stage = Stage(steps=16, rate=3e-3, embedding_rate=1e-2, warm_up=2, distilled=1.0, validate_every=16)
    train(model, batches, stage, tmp_path / "distilled")
    assert distance() < 0.8 * before


def test_a_share_of_the_steps_is_prose() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def batch(self, step: int) -> str:
            return self.name

    mixed = InterleavedSource(Named("code"), Named("prose"), 0.25, seed=1)  # type: ignore[arg-type]
    drawn = [mixed.batch(step) for step in range(400)]
    assert 70 < drawn.count("prose") < 130  # type: ignore[comparison-overlap]
    assert drawn == [mixed.batch(step) for step in range(400)]


def test_a_stage_with_prose_says_that_prose_is_missing(run: Path) -> None:
    (run / "prose.npz").unlink()
    steps = tuple(replace(step, prose=0.5) for step in STAGES[:1])
    with pytest.raises(DataError, match="run `english` first"):
        train_stages(run, Recipe(SMALL, batch=16, steps=steps, averaged=()), None)


def test_a_stage_with_prose_runs(run: Path) -> None:
    steps = tuple(replace(step, prose=0.5) for step in STAGES[:1])
    assert (train_stages(run, Recipe(SMALL, batch=16, steps=steps, averaged=()), None) / "model.safetensors").exists()


def test_prose_is_of_docs_names_words_and_code(tmp_path: Path) -> None:
    write_pairs(tmp_path / "train.jsonl")
    tokenizer = blank_tokenizer()
    tokenizer.add_tokens(["small"])
    prose = prepare_distillation(tmp_path, package(tmp_path), tokenizer, OverlapEncoder().encode_passages)
    assert len(prose.texts) == len(prose.vectors) > prose.code
    assert prose.vectors.shape[1] == OverlapEncoder().dimension
