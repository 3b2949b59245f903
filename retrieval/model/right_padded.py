"""The backbone's forward pass for right-padded batches, with the same modules and results in fewer operations.

Padding on the right needs no attention mask: with causal attention no real token sees it. The q, k and v projections are fused
into one product, gate and up into another. Training and export use this; backbone.py stays the reference, and a test compares them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from retrieval.model.c2llm import C2LLM


class RightPadded(nn.Module):
    """Wraps a C2LLM; parameters are shared, not copied."""

    def __init__(self, model: C2LLM) -> None:
        super().__init__()
        self.model = model
        self.config = model.config
        head_dim = model.config.hidden_size // model.config.num_attention_heads
        frequencies = 1.0 / model.config.rope_theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        angles = torch.outer(torch.arange(model.config.max_position_embeddings, dtype=torch.float32), frequencies)
        self.cos: Tensor
        self.sin: Tensor
        self.register_buffer("cos", torch.cat([angles.cos(), angles.cos()], dim=-1), persistent=False)
        self.register_buffer("sin", torch.cat([-angles.sin(), angles.sin()], dim=-1), persistent=False)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.pool(self.embed(ids), mask)

    def embed(self, ids: Tensor) -> Tensor:
        backbone: Any = self.model.plm_model.model
        rows: Tensor = backbone.embed_tokens(ids)
        return rows

    def pool(self, embedded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """From token embeddings (batch, length, hidden) on."""
        vectors, attention = self.model.mha_pma(self._states(embedded).float(), mask)
        return F.normalize(vectors, dim=-1), attention

    def _states(self, x: Tensor) -> Tensor:
        backbone: Any = self.model.plm_model.model
        for layer in backbone.layers:
            x = x + self._attention(layer.self_attn, self._norm(layer.input_layernorm, x))
            x = x + _mlp(layer.mlp, self._norm(layer.post_attention_layernorm, x))
        return self._norm(backbone.norm, x)

    def _norm(self, norm: Any, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), norm.weight, self.config.rms_norm_eps)

    def _attention(self, attention: Any, x: Tensor) -> Tensor:
        heads, kv_heads = self.config.num_attention_heads, self.config.num_key_value_heads
        parts = (attention.q_proj, attention.k_proj, attention.v_proj)
        qkv = F.linear(x, torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]))
        qkv = qkv.view(*x.shape[:2], heads + 2 * kv_heads, -1).transpose(1, 2)  # (batch, heads, length, head_dim)
        rotated = self._apply_rotary(qkv[:, : heads + kv_heads])
        query, key, value = rotated[:, :heads], rotated[:, heads:], qkv[:, heads + kv_heads :]
        if heads != kv_heads:
            key, value = (t.repeat_interleave(heads // kv_heads, dim=1) for t in (key, value))
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = attention.o_proj(attended.transpose(1, 2).flatten(2))
        return out

    def _apply_rotary(self, x: Tensor) -> Tensor:
        length, half = x.shape[2], x.shape[3] // 2
        swapped = torch.cat([x[..., half:], x[..., :half]], dim=-1)
        return x * self.cos[:length].to(x.dtype) + swapped * self.sin[:length].to(x.dtype)


def _mlp(mlp: Any, x: Tensor) -> Tensor:
    gate, up = F.linear(x, torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])).chunk(2, dim=-1)
    out: Tensor = mlp.down_proj(F.silu(gate) * up)
    return out
