from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "tokenizers")

from retrieval.errors import CancelledError  # noqa: E402
from retrieval.files import Scanner  # noqa: E402
from retrieval.finetune import fit  # noqa: E402
from retrieval.finetune.batches import RepositoryBatches  # noqa: E402
from retrieval.finetune.dataset import collect  # noqa: E402
from retrieval.finetune.mean_centering import centre, has_offset  # noqa: E402
from retrieval.finetune.weights_io import Way  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.training.extraction import Pair  # noqa: E402
from retrieval.training.forward import encode  # noqa: E402
from retrieval.training.mixture import tokens  # noqa: E402
from tests.finetune.models import config, made, tokenizer  # noqa: E402
from tests.finetune.repository import repository  # noqa: E402


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    scanner = Scanner(repository(tmp_path / "repository", files=10))
    return list(collect(scanner.root, scanner, scanner.scan().stamps).learnt)


def test_batches_depend_on_the_step_alone_and_mask_what_reads_the_same(pairs: list[Pair]) -> None:
    twin = Pair(pairs[0].language, pairs[0].path, pairs[0].qualified + "x", pairs[0].doc, pairs[0].body)
    sources = [RepositoryBatches([*pairs, twin], tokenizer(), config(), size=99, seed=1) for _ in range(2)]
    first, again, later = sources[0].batch(3), sources[1].batch(3), sources[0].batch(4)
    assert np.array_equal(first.query_ids, again.query_ids) and np.array_equal(first.passage_ids, again.passage_ids)
    assert first.passage_ids.shape != later.passage_ids.shape or not np.array_equal(
        first.passage_ids, later.passage_ids
    )
    assert first.ignored is not None and first.ignored.sum() == 2
    assert (first.query_mask.sum(axis=1) >= 1).all()


@pytest.mark.slow
@pytest.mark.parametrize(("way", "layers"), [("all", 0), ("pma", 1), ("lora", 1)])
def test_a_stopped_run_ends_where_an_undisturbed_one_does(
    tmp_path: Path, pairs: list[Pair], way: Way, layers: int
) -> None:
    if way == "lora":
        pytest.importorskip("peft")

    def run(work: Path, stop_at: int) -> C2LLM:
        model = made(layers)
        source = fit.source_of(pairs, tokenizer(), model, fit.RECIPES[way])
        plan = fit.FitPlan(fit.RECIPES[way], 6, "model", "pairs")
        assert fit.prepare_resume(work, plan) is (work / "checkpoint.pt").exists()
        return fit.finetune_model(model, source, plan, work, lambda step: step != stop_at)

    whole = run(tmp_path / "whole", 0).state_dict()
    with pytest.raises(CancelledError, match="step 3 of 6"):
        run(tmp_path / "cut", 3)
    recipe = fit.RECIPES[way]
    assert fit.interrupted_steps(tmp_path / "cut", recipe, "model", "pairs") == 6
    assert fit.interrupted_steps(tmp_path / "cut", recipe, "model", "other pairs") is None
    resumed = run(tmp_path / "cut", 0).state_dict()
    before = made(layers).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    moved = {name for name in before if not torch.equal(before[name], whole[name])}
    assert any("mha_pma" in name for name in moved)
    assert ("plm_model.model.embed_tokens.weight" in moved) is (way == "all")
    assert any("layers" in name for name in moved) is (way == "lora")


def test_a_run_over_other_pairs_begins_anew(tmp_path: Path) -> None:
    recipe = fit.RECIPES["all"]
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoint.pt").write_bytes(b"of another run")
    assert not fit.prepare_resume(tmp_path / "work", fit.FitPlan(recipe, 5, "model", "pairs"))
    assert not (tmp_path / "work").exists()


def test_centring_takes_out_what_all_passages_share(pairs: list[Pair]) -> None:
    model = made(0, shared=4.0)
    texts = [pair.body for pair in pairs]
    rows = tokens(tokenizer(), texts, model.config.document_instruction, model.config.max_passage_tokens)
    before = float(np.linalg.norm(encode(model, rows).mean(axis=0)))
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert has_offset(model)
    centre(model, tokenizer(), texts)
    assert float(np.linalg.norm(encode(model, rows).mean(axis=0))) < 0.9 * before
    assert [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, state[name])] == [
        "mha_pma.mab.ln1.bias"
    ]
