"""The forward pass over packed sequences: the tokens of many texts are concatenated, without padding.

Token-wise operations (projections, norms, the MLP: nearly all of the work) see only real tokens. Attention stays within each
text: by a variable-length kernel where there is one, else in blocks of texts of similar length (attention.py). Pooling uses the
same blocks, in float32 whatever the dtype of the backbone: it takes a ten-thousandth of the time and determines the vector.

Written without transformers: importing Qwen2Model takes 4.7 s, ten times as long as a query. backbone.py, which runs it, stays the
reference for training and export, and tests compare both with a third implementation, in float64. The q, k and v projections are
fused into one matrix, gate and up into another, once, when the weights are loaded.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from retrieval.model import tensor_layout
from retrieval.model.attention import AttentionFunction, Packing
from retrieval.model.checkpoint import Checkpoint
from retrieval.model.config import C2LLMConfig
from retrieval.model.pooling import make_pooling


class PackedC2LLM(nn.Module):
    """Concatenated token ids of many texts -> unit vectors (texts, dimension), and the pooling attention of each text."""

    def __init__(
        self, config: C2LLMConfig, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        """Allocates parameters without initializing them: torch's own modules would draw random numbers first, and on the
        meta device they import the compiler (3 s)."""
        super().__init__()
        self.config = config

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype), requires_grad=False)

        self.embed_tokens = empty(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(_DecoderLayer(config, empty) for _ in range(config.num_hidden_layers))
        self.norm = empty(config.hidden_size)
        self.pooling = make_pooling(config).to(device).requires_grad_(False)

    def forward(self, ids: Tensor, packing: Packing, attend: AttentionFunction) -> tuple[Tensor, list[Tensor]]:
        """The attention weights are one tensor a text, as long as the text."""
        states = F.embedding(ids, self.embed_tokens)
        apply_rotary = _rotary_embedding(packing.position_ids, self.config, states.dtype)
        for layer in self.layers:
            states = layer(states, apply_rotary, attend)
        states = F.rms_norm(states, (states.shape[-1],), self.norm, self.config.rms_norm_eps)
        vectors, weights = [], []
        for block in packing.blocks:
            pooled, weights_of_block = self.pooling(block.pad(states).float(), block.mask)
            vectors.append(F.normalize(pooled, dim=-1))
            weights += [row[:length] for row, length in zip(weights_of_block, block.lengths, strict=True)]
        return torch.cat(vectors), weights

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """The parameters (views of fused ones too) by their names in a checkpoint, to load into."""
        tensors = {
            f"{tensor_layout.BACKBONE}embed_tokens.weight": self.embed_tokens,
            f"{tensor_layout.BACKBONE}norm.weight": self.norm,
        }
        for number, layer in enumerate(self.layers):
            prefix = f"{tensor_layout.BACKBONE}layers.{number}."
            tensors |= {f"{prefix}{name}": tensor for name, tensor in layer.checkpoint_tensors().items()}  # type: ignore[operator]
        return tensors | {
            f"{tensor_layout.POOLING}{name}": tensor for name, tensor in self.pooling.state_dict().items()
        }

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> PackedC2LLM:
        """Weights go straight to the device, tensor by tensor."""
        model = cls(checkpoint.config, device, dtype)
        with torch.no_grad():
            checkpoint.copy_into(model.checkpoint_tensors())
        return model.eval()


class _DecoderLayer(nn.Module):
    def __init__(self, config: C2LLMConfig, empty: Callable[..., nn.Parameter]) -> None:
        super().__init__()
        width, self.heads, self.kv_heads = config.hidden_size, config.num_attention_heads, config.num_key_value_heads
        self.head_dim, self.eps = width // self.heads, config.rms_norm_eps
        self.input_layernorm, self.post_attention_layernorm = empty(width), empty(width)
        qkv_width = (self.heads + 2 * self.kv_heads) * self.head_dim
        self.qkv, self.qkv_bias = empty(qkv_width, width), empty(qkv_width)
        self.o_proj = empty(width, width)
        self.gate_up = empty(2 * config.intermediate_size, width)
        self.down_proj = empty(width, config.intermediate_size)

    def forward(self, x: Tensor, apply_rotary: Callable[[Tensor], Tensor], attend: AttentionFunction) -> Tensor:
        """(tokens, width) -> (tokens, width)."""
        qkv = F.linear(self._norm(x, self.input_layernorm), self.qkv, self.qkv_bias)
        qkv = qkv.view(len(x), self.heads + 2 * self.kv_heads, self.head_dim)
        q_and_k, v = apply_rotary(qkv[:, : -self.kv_heads]), qkv[:, -self.kv_heads :]
        output = attend(q_and_k[:, : self.heads], q_and_k[:, self.heads :], v)  # (tokens, heads, head_dim)
        x = x + F.linear(output.reshape(len(x), -1), self.o_proj)
        gate, up = F.linear(self._norm(x, self.post_attention_layernorm), self.gate_up).chunk(2, dim=-1)
        return x + F.linear(F.silu(gate) * up, self.down_proj)

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        sizes = [self.heads * self.head_dim, self.kv_heads * self.head_dim, self.kv_heads * self.head_dim]
        tensors: dict[str, Tensor] = {
            "input_layernorm.weight": self.input_layernorm,
            "post_attention_layernorm.weight": self.post_attention_layernorm,
            "self_attn.o_proj.weight": self.o_proj,
            "mlp.down_proj.weight": self.down_proj,
        }
        for kind, fused in (("weight", self.qkv), ("bias", self.qkv_bias)):
            for name, part in zip("qkv", torch.split(fused, sizes), strict=True):
                tensors[f"self_attn.{name}_proj.{kind}"] = part
        for name, part in zip(("gate", "up"), self.gate_up.chunk(2), strict=True):
            tensors[f"mlp.{name}_proj.weight"] = part
        return tensors


def _rotary_embedding(position_ids: Tensor, config: C2LLMConfig, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Rotary position embedding for (tokens, heads, head_dim); the angles are computed once for all layers, in float32."""
    head_dim = config.hidden_size // config.num_attention_heads
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=position_ids.device) / head_dim
    angles = torch.outer(position_ids.float(), config.rope_theta**-exponents)
    cos = torch.cat([angles.cos(), angles.cos()], dim=-1)[:, None].to(dtype)
    sin = torch.cat([-angles.sin(), angles.sin()], dim=-1)[:, None].to(dtype)

    def apply_rotary(x: Tensor) -> Tensor:
        return x * cos + torch.cat([x[..., head_dim // 2 :], x[..., : head_dim // 2]], dim=-1) * sin

    return apply_rotary
