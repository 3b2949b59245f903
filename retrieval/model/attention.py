"""Causal attention of many texts that stand one behind the other, each over itself alone.

Where a kernel for variable lengths is to be had (CUDA, half precision) it does all texts at once: that of flash-attn, else
torch's own. Everywhere else torch's scaled dot-product attention works on blocks of texts of like length: batches come sorted by
length, so a block's rows are padded by an eighth at most, and only within attention. Padding stands on the right, where causal
attention never looks, so that no mask is needed and the fast kernels apply.
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

LIKE = 1.125  # texts up to this much longer than the shortest of a block join it
FEW = 8  # tokens: as much padding is always worth one call less

# query (tokens, heads, head), key and value (tokens, fewer heads, head) -> (tokens, heads, head)
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Block:
    """Texts of like length, which stand one behind the other from token `first` on."""

    first: int
    lengths: tuple[int, ...]
    device: torch.device
    mask: Tensor  # (texts, length); 1 = real token
    _padded: Tensor | None  # (texts, length) -> which token; None where all are of one length
    _real: Tensor | None  # which of the padded places are tokens

    @classmethod
    def of(cls, first: int, lengths: tuple[int, ...], device: torch.device) -> Block:
        longest = max(lengths)
        sizes, along = torch.tensor(lengths)[:, None], torch.arange(longest)[None, :]
        mask = (along < sizes).long()
        if min(lengths) == longest:
            return cls(first, lengths, device, mask.to(device), None, None)
        starts = sizes.cumsum(dim=0) - sizes
        padded = starts + torch.minimum(along, sizes - 1)  # padding repeats the last token: finite, and never looked at
        real = mask.flatten().nonzero().flatten()
        return cls(first, lengths, device, mask.to(device), padded.to(device), real.to(device))

    @property
    def tokens(self) -> int:
        return sum(self.lengths)

    def rows(self, x: Tensor) -> Tensor:
        """Out of all tokens (tokens, …), those of the block as (texts, length, …)."""
        own = x[self.first : self.first + self.tokens]
        return own.view(len(self.lengths), -1, *own.shape[1:]) if self._padded is None else own[self._padded]

    def tokens_of(self, rows: Tensor) -> Tensor:
        """The way back: (texts, length, …) to the block's tokens, without padding."""
        flat = rows.flatten(0, 1)
        return flat if self._real is None else flat[self._real]


class Packing:
    """How texts of these lengths stand one behind the other."""

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu") -> None:
        self.lengths, self.device = tuple(lengths), torch.device(device)

    @cached_property
    def positions(self) -> Tensor:
        """Of each token in its text."""
        return torch.cat([torch.arange(length) for length in self.lengths]).to(self.device)

    @cached_property
    def borders(self) -> Tensor:
        """0, and the end of each text, as the kernels for variable lengths want it."""
        return torch.tensor((0, *self.lengths), dtype=torch.int32).cumsum(dim=0, dtype=torch.int32).to(self.device)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        found: list[Block] = []
        first = start = 0
        for end in range(1, len(self.lengths) + 1):
            group = self.lengths[start : end + 1]
            if end == len(self.lengths) or max(group) > max(LIKE * min(group), min(group) + FEW):
                found.append(Block.of(first, self.lengths[start:end], self.device))
                first, start = first + found[-1].tokens, end
        return tuple(found)


def attention_over(packing: Packing, dtype: torch.dtype) -> Attend:
    """The best way there is on the device of the packing."""
    _, kernel = best_kernel(packing.device, dtype)
    return by_blocks(packing) if kernel is None else by_kernel(packing, kernel)


def by_blocks(packing: Packing) -> Attend:
    """torch's attention, block by block; on every device and in every precision."""

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        grouped = query.shape[1] != key.shape[1]
        parts = []
        for block in packing.blocks:
            q, k, v = (block.rows(part).transpose(1, 2) for part in (query, key, value))
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
            parts.append(block.tokens_of(mixed.transpose(1, 2)))
        return torch.cat(parts)

    return attend


# (query, key, value, borders, longest) -> mixed values
Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, int], Tensor]


def by_kernel(packing: Packing, kernel: Kernel) -> Attend:
    """All texts at once."""
    borders, longest = packing.borders, max(packing.lengths)

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return kernel(query, key, value, borders, longest)

    return attend


def best_kernel(device: torch.device, dtype: torch.dtype) -> tuple[str, Kernel | None]:
    """What people are told of it, and the kernel for variable lengths, where there is one."""
    # Both kernels are for half precision, and for cards of compute capability 8.0 (2020) on.
    fits = device.type == "cuda" and dtype in (torch.float16, torch.bfloat16)
    if fits and torch.cuda.get_device_capability(device) >= (8, 0):
        for name, found in (("flash-attn", _flash_attn()), ("torch's kernel for variable lengths", _torch_kernel())):
            if found is not None:
                return name, found
    return "torch's attention in blocks of like length", None


def _flash_attn() -> Kernel | None:
    try:
        from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found]
    except (ImportError, OSError):  # OSError: built for another CUDA
        return None

    def kernel(q: Tensor, k: Tensor, v: Tensor, borders: Tensor, longest: int) -> Tensor:
        mixed: Tensor = flash_attn_varlen_func(q, k, v, borders, borders, longest, longest, causal=True)
        return mixed

    return kernel


def _torch_kernel() -> Kernel | None:
    """`varlen_attn`, since torch 2.10; how it is told to be causal and to share keys changed since."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    options: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    sharing = "enable_gqa" in known

    def kernel(q: Tensor, k: Tensor, v: Tensor, borders: Tensor, longest: int) -> Tensor:
        if sharing:
            mixed: Any = varlen_attn(q, k, v, borders, borders, longest, longest, enable_gqa=True, **options)
        else:
            k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for part in (k, v))
            mixed = varlen_attn(q, k, v, borders, borders, longest, longest, **options)
        return mixed  # type: ignore[no-any-return]

    return kernel
