from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "tokenizers", "onnxscript")

from retrieval.encoders import load  # noqa: E402
from retrieval.encoders.onnx import OnnxEncoder  # noqa: E402
from retrieval.errors import ModelError  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import with_layers  # noqa: E402
from retrieval.model.export import export, export_passage_tower  # noqa: E402
from retrieval.training.forward import mean_reciprocal_rank  # noqa: E402
from retrieval.training.passage_tower import FrozenQueries, with_query_vectors, without_layers  # noqa: E402
from retrieval.training.recipe import PASSAGE_STAGE, Recipe, prepare, train_passage_tower  # noqa: E402
from retrieval.training.trainer import Monitoring, train  # noqa: E402
from tests.training.test_dataset import write_pairs  # noqa: E402
from tests.training.test_recipe import SMALL  # noqa: E402
from tests.training.test_trainer import STAGE, TINY, Toy, tiny, validation  # noqa: E402


@pytest.fixture
def deep() -> C2LLM:
    torch.manual_seed(5)
    return C2LLM(replace(TINY, num_hidden_layers=1)).eval()


def test_a_tower_learns_to_meet_queries_of_a_model_that_stays_as_it_is(deep: C2LLM, tmp_path: Path) -> None:
    model = train(deep, Toy(), STAGE, tmp_path / "deep")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    held_out = with_query_vectors(validation(), model)
    untrained = mean_reciprocal_rank(tiny(), held_out)
    stage = replace(STAGE, distilled=0.5)
    tower = train(tiny(), FrozenQueries(Toy(), model), stage, tmp_path / "tower", Monitoring())
    assert mean_reciprocal_rank(tower, held_out) > untrained + 0.2
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_tower_begins_with_the_embeddings_and_the_pooling_of_the_model(deep: C2LLM) -> None:
    tower, model = without_layers(deep).state_dict(), deep.state_dict()
    assert without_layers(deep).config.num_hidden_layers == 0
    assert all(torch.equal(tensor, model[name]) for name, tensor in tower.items())


def test_batches_carry_the_similarities_of_the_whole_model_but_of_false_negatives(deep: C2LLM) -> None:
    class Masked:
        def batch(self, step: int) -> object:
            batch = Toy().batch(step)
            ignored = np.zeros((len(batch.query_ids), len(batch.passage_ids)), dtype=bool)
            ignored[0, 1] = True
            return replace(batch, ignored=ignored)

    batch = FrozenQueries(Masked(), deep).batch(2)  # type: ignore[arg-type]
    assert batch.query_vectors is not None and batch.teacher is not None
    with torch.inference_mode():
        ids, mask = torch.from_numpy(batch.query_ids), torch.from_numpy(batch.query_mask)
        np.testing.assert_allclose(batch.query_vectors, deep(ids, mask)[0].numpy(), atol=1e-5)
    assert np.argwhere(np.isnan(batch.teacher)).tolist() == [[0, 1]]


@pytest.mark.slow
def test_an_exported_tower_reads_passages_and_the_model_queries(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_pairs(tmp_path / f"{name}.jsonl")
    recipe = Recipe(SMALL, batch=16, passage_stage=replace(PASSAGE_STAGE, steps=4, validate_every=2))
    prepare(tmp_path, tmp_path / "run", recipe)
    tokenizer = tmp_path / "run" / "tokenizer.json"
    model = C2LLM(with_layers(SMALL, 1)).eval()
    export(model, tokenizer, tmp_path / "model", precision="fp32")
    symmetric = load(str(tmp_path / "model"))
    tower = C2LLM.load(train_passage_tower(model, tmp_path / "run", recipe))
    export_passage_tower(tower.eval(), tmp_path / "model", precision="fp32")
    export(tower, tokenizer, tmp_path / "alone", precision="fp32")

    both, alone = load(str(tmp_path / "model")), load(str(tmp_path / "alone"))
    assert isinstance(both, OnnxEncoder) and isinstance(alone, OnnxEncoder)
    texts = ["open the file", "close it again"]
    np.testing.assert_allclose(both.encode_queries(texts), symmetric.encode_queries(texts), atol=1e-6)
    np.testing.assert_allclose(both.encode_passages(texts), alone.encode_passages(texts), atol=1e-6)
    assert not np.allclose(both.encode_passages(texts), symmetric.encode_passages(texts), atol=1e-3)
    assert both.attention(texts) == alone.attention(texts)
    assert len({both.fingerprint, alone.fingerprint, symmetric.fingerprint}) == 3


@pytest.mark.slow
def test_a_tower_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_pairs(tmp_path / "train.jsonl")
    write_pairs(tmp_path / "valid.jsonl")
    prepare(tmp_path, tmp_path / "run", Recipe(SMALL))
    export(C2LLM(with_layers(SMALL, 0)).eval(), tmp_path / "run" / "tokenizer.json", tmp_path / "model")
    wide = C2LLM(replace(with_layers(SMALL, 0), compressed_dim=32)).eval()
    with pytest.raises(ModelError, match="more than its layers"):
        export_passage_tower(wide, tmp_path / "model")
    assert not (tmp_path / "model" / "passages.onnx").exists()
