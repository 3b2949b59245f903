"""InfoNCE with in-batch negatives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

START_TEMPERATURE = 0.05
MAX_SCALE = 100.0  # a temperature under 0.01 makes training unstable
_NOWHERE = -1e4  # has no part in a softmax, and unlike minus infinity no gradient that is NaN


class InfoNce(nn.Module):
    """Every query against every passage of the batch and the other way round, temperature learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.0 / START_TEMPERATURE).log())

    def forward(self, queries: Tensor, passages: Tensor, ignored: Tensor | None = None) -> Tensor:
        """`ignored` (queries, passages): pairs that are right though they are not on the diagonal, and so no negatives."""
        scale = self.log_scale.exp().clamp(max=MAX_SCALE)
        scores = scale * queries @ passages.T
        if ignored is not None:
            scores = scores.masked_fill(ignored, float("-inf"))
        truth = torch.arange(len(queries), device=scores.device)
        forth = nn.functional.cross_entropy(scores, truth)
        back = nn.functional.cross_entropy(scores[:, : len(queries)].T, truth)
        return (forth + back) / 2

    def distilled(self, queries: Tensor, passages: Tensor, teacher: Tensor) -> Tensor:
        """How far the distribution over the passages is from the one that the teacher's similarities make, where it has any:
        what is NaN is left out of both.
        """
        scores = self.log_scale.exp().clamp(max=MAX_SCALE) * queries @ passages.T
        unknown = teacher.isnan()
        compared = (~unknown).sum(dim=1) > 1
        unknown, aim = unknown[compared], teacher[compared] / START_TEMPERATURE
        aim, found = (
            nn.functional.log_softmax(values.masked_fill(unknown, _NOWHERE), dim=-1)
            for values in (aim, scores[compared])
        )
        distances = nn.functional.kl_div(found, aim, reduction="sum", log_target=True)
        return distances / max(int(compared.sum()), 1)
