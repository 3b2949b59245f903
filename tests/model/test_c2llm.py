from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.errors import ModelError  # noqa: E402
from retrieval.model.c2llm import C2LLM, parameter_count  # noqa: E402
from retrieval.model.config import C2LLM_0_5B, C2LLM_7B, C2LLMConfig  # noqa: E402

TINY = C2LLMConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    vocab_size=100,
    max_position_embeddings=64,
    compressed_dim=32,
    pma_num_heads=4,
)


def tiny(layers: int = 2, method: str = "pma") -> C2LLM:
    torch.manual_seed(0)
    return C2LLM(replace(TINY, num_hidden_layers=layers, embedding_method=method)).eval()


@pytest.mark.slow
@pytest.mark.parametrize(("config", "count"), [(C2LLM_0_5B, 497_252_096), (C2LLM_7B, 7_667_028_992)])
def test_the_published_shapes_have_the_published_number_of_parameters(config: C2LLMConfig, count: int) -> None:
    assert parameter_count(config) == count


def test_parameters_are_named_as_in_the_published_files() -> None:
    names = set(tiny().state_dict())
    assert {
        "plm_model.model.embed_tokens.weight",
        "plm_model.model.layers.1.self_attn.q_proj.bias",
        "plm_model.model.norm.weight",
        "mha_pma.S",
        "mha_pma.mab.fc_q.weight",
        "mha_pma.mab.fc_o.bias",
        "mha_pma.mab.ln1.bias",
    } <= names
    assert "plm_model.lm_head.weight" not in names  # tied


@pytest.mark.parametrize("layers", [0, 2])
@pytest.mark.parametrize("method", ["pma", "mean", "eos"])
def test_alone_left_padded_and_right_padded_texts_have_one_vector(layers: int, method: str) -> None:
    model = tiny(layers, method)
    text = torch.tensor([[5, 17, 3, 44, 9]])
    noise = torch.tensor([[60, 61, 62, 63]])
    real, padding = torch.ones_like(text), torch.zeros_like(noise)
    with torch.inference_mode():
        alone, weights = model(text, real)
        left, left_weights = model(torch.cat([noise, text], dim=1), torch.cat([padding, real], dim=1))
        right, right_weights = model(torch.cat([text, noise], dim=1), torch.cat([real, padding], dim=1))
    torch.testing.assert_close(left, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(right, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(left_weights[:, 4:], weights, atol=1e-5, rtol=0)
    torch.testing.assert_close(right_weights[:, :5], weights, atol=1e-5, rtol=0)


def test_attention_in_the_backbone_is_causal() -> None:
    model = tiny()
    one, other = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[5, 6, 7, 99]])
    mask = torch.ones_like(one)
    with torch.inference_mode():
        states = [model.plm_model(ids, mask) for ids in (one, other)]
    torch.testing.assert_close(states[0][:, :3], states[1][:, :3])
    assert not torch.allclose(states[0][:, 3], states[1][:, 3])


def test_a_model_survives_the_disk(tmp_path: Path) -> None:
    model = tiny()
    model.save(tmp_path)
    ids, mask = torch.tensor([[5, 6, 7]]), torch.ones(1, 3, dtype=torch.long)
    with torch.inference_mode():
        assert torch.equal(C2LLM.load(tmp_path)(ids, mask)[0], model(ids, mask)[0])


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    tiny().save(tmp_path)
    replace(TINY, num_hidden_layers=3).save(tmp_path)
    with pytest.raises(ModelError, match=r"layers\.2"):
        C2LLM.load(tmp_path)
