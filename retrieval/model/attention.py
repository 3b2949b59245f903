"""Causal self-attention over packed sequences: the tokens of many texts are concatenated, and each text attends to itself.

Where a variable-length kernel is available (CUDA, half precision) it handles all texts at once: flash-attn's, else torch's own.
Everywhere else torch's scaled_dot_product_attention runs on blocks of texts of similar length: batches come sorted by length, so
a block is padded by an eighth at most, and only within attention. Padding is on the right, where causal attention never looks,
so that no mask is needed and the fast kernels apply.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

MAX_LENGTH_RATIO = 1.125  # of the longest text of a block to the shortest
MAX_PADDING = 8  # tokens of padding that are always worth one call less

# query (tokens, heads, head_dim), key and value (tokens, kv_heads, head_dim) -> (tokens, heads, head_dim)
AttentionFunction = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive texts of similar length, whose tokens begin at `first`."""

    first: int
    lengths: tuple[int, ...]
    device: torch.device
    mask: Tensor  # (texts, length); 1 = real token
    _gather: Tensor | None  # (texts, length): the index of each token; None where all texts have one length
    _valid: Tensor | None  # flat indices of real tokens among the padded ones

    @classmethod
    def of(cls, first: int, lengths: tuple[int, ...], device: torch.device) -> Block:
        max_seqlen = max(lengths)
        sizes, columns = torch.tensor(lengths)[:, None], torch.arange(max_seqlen)[None, :]
        mask = (columns < sizes).long()
        if min(lengths) == max_seqlen:
            return cls(first, lengths, device, mask.to(device), None, None)
        starts = sizes.cumsum(dim=0) - sizes
        gather = starts + torch.minimum(columns, sizes - 1)  # padding repeats the last token: finite, never attended to
        valid = mask.flatten().nonzero().flatten()
        return cls(first, lengths, device, mask.to(device), gather.to(device), valid.to(device))

    @property
    def tokens(self) -> int:
        return sum(self.lengths)

    def pad(self, x: Tensor) -> Tensor:
        """The tokens of this block, out of all (tokens, …), padded to (texts, length, …)."""
        own = x[self.first : self.first + self.tokens]
        return own.view(len(self.lengths), -1, *own.shape[1:]) if self._gather is None else own[self._gather]

    def unpad(self, x: Tensor) -> Tensor:
        """The inverse of `pad`: (texts, length, …) -> the tokens of this block."""
        flat = x.flatten(0, 1)
        return flat if self._valid is None else flat[self._valid]


class Packing:
    """The layout of concatenated texts of these lengths."""

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu") -> None:
        self.lengths, self.device = tuple(lengths), torch.device(device)

    @cached_property
    def position_ids(self) -> Tensor:
        """The position of each token in its text."""
        return torch.cat([torch.arange(length) for length in self.lengths]).to(self.device)

    @cached_property
    def cu_seqlens(self) -> Tensor:
        """Cumulative sequence lengths, from 0, as variable-length kernels take them."""
        return torch.tensor((0, *self.lengths), dtype=torch.int32).cumsum(dim=0, dtype=torch.int32).to(self.device)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        blocks: list[Block] = []
        first = start = 0
        for end in range(1, len(self.lengths) + 1):
            group = self.lengths[start : end + 1]
            if end == len(self.lengths) or max(group) > max(MAX_LENGTH_RATIO * min(group), min(group) + MAX_PADDING):
                blocks.append(Block.of(first, self.lengths[start:end], self.device))
                first, start = first + blocks[-1].tokens, end
        return tuple(blocks)


def select_attention(packing: Packing, dtype: torch.dtype) -> AttentionFunction:
    """The fastest implementation on the device of the packing."""
    _, kernel = best_kernel(packing.device, dtype)
    return blockwise_attention(packing) if kernel is None else varlen_attention(packing, kernel)


def blockwise_attention(packing: Packing) -> AttentionFunction:
    """scaled_dot_product_attention block by block; on every device and in every dtype."""

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        grouped = query.shape[1] != key.shape[1]
        parts = []
        for block in packing.blocks:
            q, k, v = (block.pad(part).transpose(1, 2) for part in (query, key, value))
            output = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
            parts.append(block.unpad(output.transpose(1, 2)))
        return torch.cat(parts)

    return attend


# (query, key, value, cu_seqlens, max_seqlen) -> output
VarlenKernel = Callable[[Tensor, Tensor, Tensor, Tensor, int], Tensor]


def varlen_attention(packing: Packing, kernel: VarlenKernel) -> AttentionFunction:
    """One kernel call for all texts."""
    cu_seqlens, max_seqlen = packing.cu_seqlens, max(packing.lengths)

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return kernel(query, key, value, cu_seqlens, max_seqlen)

    return attend


def best_kernel(device: torch.device, dtype: torch.dtype) -> tuple[str, VarlenKernel | None]:
    """The name to show, and the variable-length kernel, if there is one."""
    # Both kernels need half precision and compute capability 8.0 (2020) or later.
    fits = device.type == "cuda" and dtype in (torch.float16, torch.bfloat16)
    if fits and torch.cuda.get_device_capability(device) >= (8, 0):
        for name, kernel in (
            ("flash-attn", flash_attn_kernel()),
            ("torch's variable-length kernel", torch_varlen_kernel()),
        ):
            if kernel is not None:
                return name, kernel
    return "torch's attention in blocks of similar length", None


def flash_attn_kernel() -> VarlenKernel | None:
    try:
        from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found]
    except (ImportError, OSError):  # OSError: built for another CUDA
        return None

    def kernel(q: Tensor, k: Tensor, v: Tensor, cu_seqlens: Tensor, max_seqlen: int) -> Tensor:
        output: Tensor = flash_attn_varlen_func(q, k, v, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, causal=True)
        return output

    return kernel


def torch_varlen_kernel() -> VarlenKernel | None:
    """`varlen_attn`, since torch 2.10; its options for causal and grouped-query attention changed since."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    parameters = inspect.signature(varlen_attn).parameters
    options: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in parameters else {"is_causal": True}
    supports_gqa = "enable_gqa" in parameters

    def kernel(q: Tensor, k: Tensor, v: Tensor, cu_seqlens: Tensor, max_seqlen: int) -> Tensor:
        if supports_gqa:
            output: Any = varlen_attn(
                q, k, v, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, enable_gqa=True, **options
            )
        else:
            k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for part in (k, v))
            output = varlen_attn(q, k, v, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, **options)
        return output  # type: ignore[no-any-return]

    return kernel
