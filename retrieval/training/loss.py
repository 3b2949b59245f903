"""InfoNCE with in-batch negatives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

START_TEMPERATURE = 0.05
MAX_SCALE = 100.0  # a temperature under 0.01 makes training unstable
_MASKED_SCORE = -1e4  # vanishes in a softmax, and unlike minus infinity gives no NaN gradients


class InfoNce(nn.Module):
    """Symmetric InfoNCE: queries to passages and passages to queries, with a learned temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.0 / START_TEMPERATURE).log())

    def forward(self, queries: Tensor, passages: Tensor, ignored: Tensor | None = None) -> Tensor:
        """`ignored` (queries, passages): false negatives, which are masked out."""
        scale = self.log_scale.exp().clamp(max=MAX_SCALE)
        scores = scale * queries @ passages.T
        if ignored is not None:
            scores = scores.masked_fill(ignored, float("-inf"))
        truth = torch.arange(len(queries), device=scores.device)
        forth = nn.functional.cross_entropy(scores, truth)
        back = nn.functional.cross_entropy(scores[:, : len(queries)].T, truth)
        return (forth + back) / 2

    def distilled(self, queries: Tensor, passages: Tensor, teacher: Tensor) -> Tensor:
        """KL divergence from the teacher's distribution over the passages; NaN similarities are left out of both."""
        scores = self.log_scale.exp().clamp(max=MAX_SCALE) * queries @ passages.T
        unknown = teacher.isnan()
        compared = (~unknown).sum(dim=1) > 1
        unknown, target = unknown[compared], teacher[compared] / START_TEMPERATURE
        target, predicted = (
            nn.functional.log_softmax(values.masked_fill(unknown, _MASKED_SCORE), dim=-1)
            for values in (target, scores[compared])
        )
        distances = nn.functional.kl_div(predicted, target, reduction="sum", log_target=True)
        return distances / max(int(compared.sum()), 1)
