"""The forward pass for many texts without padding: their tokens stand one behind the other, in one row.

All that is done for each token alone (projections, norms, the feed-forward part: nearly all of the work) sees exactly the tokens
there are. Attention is over each text alone: by a kernel for variable lengths where there is one, else in blocks of rows of like
length (attention.py). Pooling works on the same blocks, in float32 whatever the backbone computes in: it costs a ten-thousandth
and decides the vector.

Written without transformers: importing Qwen2Model takes 4.7 s, ten times as long as a query. backbone.py, which runs it, stays the
reference for training and export, and tests compare both with a third, in float64. q, k and v are one product here, gate and up
another; their weights are joined once, when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from retrieval.model import tensor_layout
from retrieval.model.attention import Attend, Packing
from retrieval.model.checkpoint import Checkpoint
from retrieval.model.config import C2LLMConfig
from retrieval.model.pooling import make_pooling


class PackedC2LLM(nn.Module):
    """Texts as token ids one behind the other -> unit vectors (texts, dimension), and where the pooling looks."""

    def __init__(
        self, config: C2LLMConfig, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        """Memory is taken and not filled. torch's own modules would draw random numbers first; on the meta device, which
        has none, they import the compiler for it (3 s)."""
        super().__init__()
        self.config = config

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype), requires_grad=False)

        self.embed = empty(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(_Layer(config, empty) for _ in range(config.num_hidden_layers))
        self.norm = empty(config.hidden_size)
        self.pooling = make_pooling(config).to(device).requires_grad_(False)

    def forward(self, ids: Tensor, packing: Packing, attend: Attend) -> tuple[Tensor, list[Tensor]]:
        """The weights are one row a text, as long as the text."""
        states = F.embedding(ids, self.embed)
        turn = _rotation(packing.positions, self.config, states.dtype)
        for layer in self.layers:
            states = layer(states, turn, attend)
        states = F.rms_norm(states, (states.shape[-1],), self.norm, self.config.rms_norm_eps)
        vectors, weights = [], []
        for block in packing.blocks:
            pooled, looks = self.pooling(block.rows(states).float(), block.mask)
            vectors.append(F.normalize(pooled, dim=-1))
            weights += [row[:length] for row, length in zip(looks, block.lengths, strict=True)]
        return torch.cat(vectors), weights

    def places(self) -> dict[str, Tensor]:
        """Where each tensor of a checkpoint goes, by its name there."""
        found = {
            f"{tensor_layout.BACKBONE}embed_tokens.weight": self.embed,
            f"{tensor_layout.BACKBONE}norm.weight": self.norm,
        }
        for number, layer in enumerate(self.layers):
            prefix = f"{tensor_layout.BACKBONE}layers.{number}."
            found |= {f"{prefix}{name}": tensor for name, tensor in layer.places().items()}  # type: ignore[operator]
        return found | {f"{tensor_layout.POOLING}{name}": tensor for name, tensor in self.pooling.state_dict().items()}

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> PackedC2LLM:
        """Weights go straight to the device, tensor by tensor."""
        model = cls(checkpoint.config, device, dtype)
        with torch.no_grad():
            checkpoint.read(model.places())
        return model.eval()


class _Layer(nn.Module):
    def __init__(self, config: C2LLMConfig, empty: Callable[..., nn.Parameter]) -> None:
        super().__init__()
        width, self.heads, self.shared = config.hidden_size, config.num_attention_heads, config.num_key_value_heads
        self.head, self.eps = width // self.heads, config.rms_norm_eps
        self.before_attention, self.before_mlp = empty(width), empty(width)
        joined = (self.heads + 2 * self.shared) * self.head
        self.qkv, self.qkv_bias = empty(joined, width), empty(joined)
        self.out = empty(width, width)
        self.gate_up = empty(2 * config.intermediate_size, width)
        self.down = empty(width, config.intermediate_size)

    def forward(self, x: Tensor, turn: Callable[[Tensor], Tensor], attend: Attend) -> Tensor:
        joined = F.linear(F.rms_norm(x, (x.shape[-1],), self.before_attention, self.eps), self.qkv, self.qkv_bias)
        joined = joined.view(len(x), self.heads + 2 * self.shared, self.head)
        turned, value = turn(joined[:, : -self.shared]), joined[:, -self.shared :]
        mixed = attend(turned[:, : self.heads], turned[:, self.heads :], value)
        x = x + F.linear(mixed.reshape(len(x), -1), self.out)
        gate, up = F.linear(F.rms_norm(x, (x.shape[-1],), self.before_mlp, self.eps), self.gate_up).chunk(2, dim=-1)
        return x + F.linear(F.silu(gate) * up, self.down)

    def places(self) -> dict[str, Tensor]:
        rows = [self.heads * self.head, self.shared * self.head, self.shared * self.head]
        found: dict[str, Tensor] = {
            "input_layernorm.weight": self.before_attention,
            "post_attention_layernorm.weight": self.before_mlp,
            "self_attn.o_proj.weight": self.out,
            "mlp.down_proj.weight": self.down,
        }
        for kind, joined in (("weight", self.qkv), ("bias", self.qkv_bias)):
            for name, part in zip("qkv", torch.split(joined, rows), strict=True):
                found[f"self_attn.{name}_proj.{kind}"] = part
        for name, part in zip(("gate", "up"), self.gate_up.chunk(2), strict=True):
            found[f"mlp.{name}_proj.weight"] = part
        return found


def _rotation(positions: Tensor, config: C2LLMConfig, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Rotary positions of (tokens, heads, head); the angles are computed once for all layers, in float32."""
    head = config.hidden_size // config.num_attention_heads
    steps = torch.arange(0, head, 2, dtype=torch.float32, device=positions.device) / head
    angles = torch.outer(positions.float(), config.rope_theta**-steps)
    cos = torch.cat([angles.cos(), angles.cos()], dim=-1)[:, None].to(dtype)
    sin = torch.cat([-angles.sin(), angles.sin()], dim=-1)[:, None].to(dtype)

    def turn(x: Tensor) -> Tensor:
        return x * cos + torch.cat([x[..., head // 2 :], x[..., : head // 2]], dim=-1) * sin

    return turn
