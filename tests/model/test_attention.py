"""Attention over packed texts equals attention over each text alone, by every way that there is here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from retrieval.model import attention  # noqa: E402
from retrieval.model.attention import (  # noqa: E402
    MAX_LENGTH_RATIO,
    MAX_PADDING,
    Packing,
    best_kernel,
    blockwise_attention,
    varlen_attention,
)

HEADS, SHARED, SIZE = 4, 2, 8


def states(tokens: int) -> tuple[Any, Any, Any]:
    generator = torch.Generator().manual_seed(tokens)
    return tuple(torch.randn(tokens, heads, SIZE, generator=generator) for heads in (HEADS, SHARED, SHARED))  # type: ignore[return-value]


def alone(query: Any, key: Any, value: Any, lengths: list[int]) -> Any:
    """By the formula, text by text."""
    parts, start = [], 0
    for length in lengths:
        q, k, v = (part[start : start + length].double() for part in (query, key, value))
        k, v = (part.repeat_interleave(HEADS // SHARED, dim=1) for part in (k, v))
        scores = torch.einsum("ihd,jhd->hij", q, k) / SIZE**0.5
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        parts.append(torch.einsum("hij,jhd->ihd", scores.softmax(-1), v))
        start += length
    return torch.cat(parts).float()


some_lengths = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@pytest.mark.slow
@given(some_lengths)
def test_blocks_equal_each_text_alone(lengths: list[int]) -> None:
    """In any order: sorting only makes blocks larger."""
    parts = states(sum(lengths))
    torch.testing.assert_close(blockwise_attention(Packing(lengths))(*parts), alone(*parts, lengths), atol=1e-5, rtol=0)


@given(some_lengths)
def test_blocks_cover_each_token_once_with_little_padding(lengths: list[int]) -> None:
    lengths = sorted(lengths, reverse=True)
    blocks = Packing(lengths).blocks
    assert [length for block in blocks for length in block.lengths] == lengths
    assert sum(block.tokens for block in blocks) == sum(lengths)
    for block in blocks:
        assert max(block.lengths) <= max(MAX_LENGTH_RATIO * min(block.lengths), min(block.lengths) + MAX_PADDING)


@given(some_lengths)
def test_spreading_and_gathering_are_inverse(lengths: list[int]) -> None:
    x = torch.arange(sum(lengths) * 3).view(-1, 3)
    blocks = Packing(lengths).blocks
    torch.testing.assert_close(torch.cat([block.unpad(block.pad(x)) for block in blocks]), x)


def test_kernels_get_the_borders_of_the_texts() -> None:
    """A kernel of the form of flash-attn's, computed by the formula: what is handed to it is what it needs."""
    lengths = [7, 7, 3, 1]
    parts = states(sum(lengths))

    def kernel(query: Any, key: Any, value: Any, borders: Any, longest: int) -> Any:
        assert borders.dtype == torch.int32 and longest == max(lengths)
        return alone(query, key, value, borders.diff().tolist())

    expected = blockwise_attention(Packing(lengths))(*parts)
    torch.testing.assert_close(varlen_attention(Packing(lengths), kernel)(*parts), expected, atol=1e-5, rtol=0)


def test_torchs_own_kernel_is_called_as_this_torch_declares_it() -> None:
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    kernel = attention.torch_varlen_kernel()
    assert kernel is not None
    known = inspect.signature(varlen.varlen_attn).parameters
    assert {"window_size", "is_causal"} & set(known)
    with torch.device("meta"):  # shapes and arguments are checked there, and nothing is computed
        parts = [torch.empty(10, heads, 16, dtype=torch.bfloat16) for heads in (HEADS, SHARED, SHARED)]
        borders = torch.empty(3, dtype=torch.int32)
    assert kernel(*parts, borders, 6).shape == (10, HEADS, 16)


def test_without_a_gpu_blocks_are_used() -> None:
    assert best_kernel(torch.device("cpu"), torch.bfloat16)[1] is None
