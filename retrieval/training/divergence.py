"""Warnings of divergence, while there is time to stop the run.

Checked at each validation: whether pooling attention collapsed (near-uniform weights make it mean pooling, all weight on the last
token makes it EOS pooling), and whether a task overfits: its held-out score falls while its loss falls too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

UNIFORM_ENTROPY = 0.995  # of the entropy of uniform weights; trained models had 0.6 to 0.9
LAST_TOKEN_SHARE = 0.8  # of the weight
MIN_TOKENS = 8  # shorter texts are ignored
PATIENCE = 3  # validations in a row
MIN_DROP = 0.03  # of the best held-out MRR: smaller drops are noise


def pooling_entropy(weights: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Mean entropy of the weights as a share of the greatest possible, and mean weight of the last token."""
    shares, lasts = [], []
    for row in weights:
        if len(row) >= MIN_TOKENS:
            p = np.maximum(row.astype(np.float64), 1e-12)
            shares.append(float(-(p * np.log(p)).sum() / np.log(len(p))))
            lasts.append(float(row[-1]))
    return (float(np.mean(shares)), float(np.mean(lasts))) if shares else (float("nan"), float("nan"))


class DivergenceMonitor:
    """Tracks the validations of one run; each warning is reported once until its condition passes."""

    def __init__(self) -> None:
        self._best: dict[str, float] = {}
        self._falls: dict[str, int] = {}
        self._losses: dict[str, float] = {}
        self._reported: set[str] = set()

    def warnings(
        self, even: float, last: float, held_out: Mapping[str, float], losses: Mapping[str, float]
    ) -> list[str]:
        found = dict(self._checks(even, last, held_out, losses))
        new = [text for key, text in found.items() if key not in self._reported]
        self._reported = set(found)
        return new

    def _checks(
        self, even: float, last: float, held_out: Mapping[str, float], losses: Mapping[str, float]
    ) -> Iterator[tuple[str, str]]:
        if even > UNIFORM_ENTROPY:
            yield (
                "even",
                (
                    f"The pooling weights are nearly uniform (entropy {even:.3f} of the maximum): it has become mean pooling. "
                    "Raise the pooling's learning rate, or train longer before judging."
                ),
            )
        if last > LAST_TOKEN_SHARE:
            yield (
                "last",
                (
                    f"The pooling attends to the last token alone ({100 * last:.0f} % of the weight): it has become EOS pooling. "
                    "Lower the learning rate, or start from a model that does not."
                ),
            )
        for task, score in held_out.items():
            falling = score < self._best.get(task, score) * (1 - MIN_DROP)
            learning = losses.get(task, 0.0) <= self._losses.get(task, float("inf"))
            self._falls[task] = self._falls.get(task, 0) + 1 if falling and learning else 0
            self._best[task] = max(score, self._best.get(task, score))
            self._losses[task] = losses.get(task, 0.0)
            if self._falls[task] >= PATIENCE:
                rising = [other for other in held_out if other != task and held_out[other] >= self._best[other]]
                towards = f" The run fits {', '.join(rising)} at its cost: lower their weight." if rising else ""
                yield (
                    f"falls {task}",
                    (
                        f"Task '{task}': its loss falls, but so does its held-out MRR ({score:.3f} after {self._best[task]:.3f}): "
                        f"overfitting. Stop, or add data.{towards}"
                    ),
                )
