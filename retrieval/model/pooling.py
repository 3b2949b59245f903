"""Pooling of hidden states into one vector: PMA, mean and EOS behind one interface.

Every pooling takes hidden states (batch, length, hidden) and a mask (batch, length; 1 = real token) and returns the pooled vectors
(batch, dimension), not normalised, and the attention (batch, length): the weight of each token, which sums to 1 and is exactly
0 on padding. Padding may be on either side. Module names give the published tensors' names (`mab.fc_q.weight`, …).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retrieval.model.config import C2LLMConfig

MASKED = -1e9  # finite, so that a row of padding alone gives no NaN


class Pooling(nn.Module):
    """States and mask to vectors and attention."""

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


class MeanPooling(Pooling):
    """The mean of all real tokens."""

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        real = mask.to(states.dtype)
        attention = real / real.sum(dim=1, keepdim=True).clamp(min=1.0)
        return torch.einsum("bl,blh->bh", attention, states), attention


class EosPooling(Pooling):
    """The last real token, on either side of padding."""

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        positions = torch.arange(mask.shape[1], device=mask.device)
        last = (positions * mask.to(positions.dtype)).argmax(dim=1, keepdim=True)
        attention = (positions == last).to(states.dtype)
        return torch.einsum("bl,blh->bh", attention, states), attention


class CrossAttention(nn.Module):
    """The published `mab`: one query attends to the states, then two post-norms around a ReLU layer."""

    def __init__(self, dimension: int, hidden: int, heads: int, *, norms: bool) -> None:
        super().__init__()
        self.heads = heads
        self.fc_q = nn.Linear(dimension, dimension)
        self.fc_k = nn.Linear(hidden, dimension)
        self.fc_v = nn.Linear(hidden, dimension)
        self.fc_o = nn.Linear(dimension, dimension)
        self.ln0: nn.Module = nn.LayerNorm(dimension) if norms else nn.Identity()
        self.ln1: nn.Module = nn.LayerNorm(dimension) if norms else nn.Identity()
        for layer in (self.fc_q, self.fc_k, self.fc_v, self.fc_o):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, seed: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`seed` (1, 1, D) -> pooled (batch, D), attention per head (batch, heads, length)."""
        scores = self.scores(seed, states).masked_fill(mask[:, None, :] == 0, MASKED)
        attention = torch.softmax(scores, dim=-1) * mask[:, None, :].to(states.dtype)
        out = self.ln0(seed[:, 0] + self.values(attention, states))
        out = self.ln1(out + torch.relu(self.fc_o(out)))
        return out, attention

    def scores(self, seed: Tensor, states: Tensor) -> Tensor:
        """Scores without materializing K: the query is constant, so fc_k folds into one vector a head (exact; 32 times
        fewer products at width 256 and 8 heads). The bias of fc_k is the same for every token and cancels in softmax."""
        dimension = seed.shape[-1]
        query = self.fc_q(seed).reshape(self.heads, dimension // self.heads)
        keys = self.fc_k.weight.reshape(self.heads, dimension // self.heads, -1)
        folded = torch.einsum("nd,ndh->nh", query, keys) / dimension**0.5  # sqrt of D, not of D / heads
        return torch.einsum("blh,nh->bnl", states, folded)

    def values(self, attention: Tensor, states: Tensor) -> Tensor:
        """Pools the states first and applies fc_v to the pooled ones: exact, because the weights of a head sum to 1."""
        batch, heads, _ = attention.shape
        pooled = torch.einsum("bnl,blh->bnh", attention, states)
        weight = self.fc_v.weight.reshape(heads, -1, states.shape[-1])
        bias = self.fc_v.bias.reshape(1, heads, -1)
        total = attention.sum(dim=-1, keepdim=True)  # 1, or 0 where a text has no token
        return (torch.einsum("bnh,ndh->bnd", pooled, weight) + bias * total).reshape(batch, -1)


class PmaPooling(Pooling):
    """Pooling by multihead attention: O = S + attention(S, X); O = ln0(O); O = ln1(O + relu(fc_o(O)))."""

    def __init__(self, config: C2LLMConfig) -> None:
        super().__init__()
        self.S = nn.Parameter(torch.empty(1, 1, config.compressed_dim))
        nn.init.xavier_uniform_(self.S)
        self.mab = CrossAttention(config.compressed_dim, config.hidden_size, config.pma_num_heads, norms=config.pma_ln)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        vectors, attention = self.mab(self.S, states, mask)
        return vectors, attention.mean(dim=1)


def make_pooling(config: C2LLMConfig) -> Pooling:
    if config.embedding_method == "pma":
        return PmaPooling(config)
    return MeanPooling() if config.embedding_method == "mean" else EosPooling()
