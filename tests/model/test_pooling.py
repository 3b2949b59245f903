from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.model.config import C2LLMConfig  # noqa: E402
from retrieval.model.pooling import EosPooling, MeanPooling, PmaPooling, make_pooling  # noqa: E402

SHAPE = C2LLMConfig(hidden_size=48, num_attention_heads=4, compressed_dim=32, pma_num_heads=4)


def states_and_mask(lengths: list[int], *, left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Random states; the padding holds large numbers, so that a leak shows."""
    generator = torch.Generator().manual_seed(7)
    width = max(lengths) + 3
    states = torch.full((len(lengths), width, SHAPE.hidden_size), 1e3)
    mask = torch.zeros(len(lengths), width, dtype=torch.long)
    for row, length in enumerate(lengths):
        place = slice(width - length, width) if left else slice(0, length)
        states[row, place] = torch.randn(length, SHAPE.hidden_size, generator=generator)
        mask[row, place] = 1
    return states, mask


def pma_by_the_formula(
    pooling: PmaPooling, states: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """C2LLM.md's formula for one text without padding, in float64 and without any folding."""
    p = {name: value.detach().numpy().astype(np.float64) for name, value in pooling.named_parameters()}
    dimension, heads = SHAPE.compressed_dim, SHAPE.pma_num_heads
    seed = p["S"][0]
    q, k, v = (
        x @ p[f"mab.fc_{n}.weight"].T + p[f"mab.fc_{n}.bias"] for n, x in (("q", seed), ("k", states), ("v", states))
    )

    def norm(x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p[f"mab.ln{n}.weight"]
            + p[f"mab.ln{n}.bias"]
        )

    parts, weights = [], []
    for head in range(heads):
        own = slice(head * dimension // heads, (head + 1) * dimension // heads)
        scores = q[:, own] @ k[:, own].T / np.sqrt(dimension)
        a = np.exp(scores - scores.max())
        a /= a.sum()
        parts.append(a @ v[:, own])
        weights.append(a[0])
    o = norm(seed + np.concatenate(parts, axis=1), 0)
    o = norm(o + np.maximum(o @ p["mab.fc_o.weight"].T + p["mab.fc_o.bias"], 0), 1)
    return o[0], np.mean(weights, axis=0)


def random_pma() -> PmaPooling:
    torch.manual_seed(3)
    pooling = PmaPooling(SHAPE)
    with torch.no_grad():
        for parameter in pooling.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)  # biases and norms too, or the test would not see them
    return pooling


def test_pma_equals_the_formula() -> None:
    pooling, lengths = random_pma(), [1, 5, 12]
    states, mask = states_and_mask(lengths)
    vectors, attention = pooling(states, mask)
    for row, length in enumerate(lengths):
        expected, weights = pma_by_the_formula(pooling, states[row, :length].numpy().astype(np.float64))
        np.testing.assert_allclose(vectors[row].detach().numpy(), expected, atol=2e-5)
        np.testing.assert_allclose(attention[row, :length].detach().numpy(), weights, atol=1e-6)


@pytest.mark.parametrize("method", ["pma", "mean", "eos"])
def test_padding_on_either_side_gives_the_same_vector(method: str) -> None:
    torch.manual_seed(3)
    config = C2LLMConfig(
        hidden_size=48, num_attention_heads=4, compressed_dim=32, pma_num_heads=4, embedding_method=method
    )
    pooling = make_pooling(config)
    right, _ = pooling(*states_and_mask([3, 9, 1]))
    left, _ = pooling(*states_and_mask([3, 9, 1], left=True))
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("method", ["pma", "mean", "eos"])
def test_attention_sums_to_one_and_leaves_padding_out(method: str) -> None:
    config = C2LLMConfig(
        hidden_size=48, num_attention_heads=4, compressed_dim=32, pma_num_heads=4, embedding_method=method
    )
    states, mask = states_and_mask([4, 7])
    _, attention = make_pooling(config)(states, mask)
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(2))
    assert attention[mask == 0].abs().max() == 0


def test_mean_takes_all_tokens_alike() -> None:
    states, mask = states_and_mask([4])
    vectors, attention = MeanPooling()(states, mask)
    torch.testing.assert_close(vectors[0], states[0, :4].mean(dim=0))
    assert attention[0, :4].tolist() == [0.25] * 4


@pytest.mark.parametrize("left", [False, True])
def test_eos_takes_the_last_real_token(left: bool) -> None:
    states, mask = states_and_mask([4, 2], left=left)
    vectors, _ = EosPooling()(states, mask)
    last = [6, 6] if left else [3, 1]
    torch.testing.assert_close(vectors, states[torch.arange(2), last])


def test_a_row_of_padding_alone_gives_numbers() -> None:
    vectors, attention = random_pma()(torch.randn(1, 3, SHAPE.hidden_size), torch.zeros(1, 3, dtype=torch.long))
    assert torch.isfinite(vectors).all() and attention.abs().max() == 0
