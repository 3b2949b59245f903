"""Signs that a run goes wrong, said in words while there is time to stop it.

Looked at whenever the run is validated: whether the pooling still chooses among tokens (near-uniform weights make it mean pooling,
all weight on the last token makes it EOS pooling), and whether a task gets worse on what was held out while its loss falls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

UNIFORM_ENTROPY = 0.995  # of the entropy that equal weights would have; trained models had 0.6 to 0.9
LAST_TOKEN_SHARE = 0.8  # of the weight
MIN_TOKENS = 8  # shorter texts have nothing to choose from
FALLS_IN_A_ROW = 3
FALL = 0.03  # of the held-out MRR under its best: less comes and goes


def evenness(weights: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Mean entropy of the weights as a share of the greatest possible, and mean weight of the last token."""
    shares, lasts = [], []
    for row in weights:
        if len(row) >= MIN_TOKENS:
            p = np.maximum(row.astype(np.float64), 1e-12)
            shares.append(float(-(p * np.log(p)).sum() / np.log(len(p))))
            lasts.append(float(row[-1]))
    return (float(np.mean(shares)), float(np.mean(lasts))) if shares else (float("nan"), float("nan"))


class DivergenceMonitor:
    """Remembers the validations of one run; `warnings` are worth a line each, said once until they pass."""

    def __init__(self) -> None:
        self._best: dict[str, float] = {}
        self._falls: dict[str, int] = {}
        self._losses: dict[str, float] = {}
        self._said: set[str] = set()

    def warnings(
        self, even: float, last: float, held_out: Mapping[str, float], losses: Mapping[str, float]
    ) -> list[str]:
        found = dict(self._signs(even, last, held_out, losses))
        new = [text for key, text in found.items() if key not in self._said]
        self._said = set(found)
        return new

    def _signs(
        self, even: float, last: float, held_out: Mapping[str, float], losses: Mapping[str, float]
    ) -> Iterator[tuple[str, str]]:
        if even > UNIFORM_ENTROPY:
            yield (
                "even",
                (
                    f"The pooling weighs all tokens alike (entropy {even:.3f} of the greatest): it has become mean pooling. "
                    "Raise the pooling's learning rate, or train longer before judging."
                ),
            )
        if last > LAST_TOKEN_SHARE:
            yield (
                "last",
                (
                    f"The pooling looks at the last token alone ({100 * last:.0f} % of the weight): it has become EOS pooling. "
                    "Lower the learning rate, or start from a model that does not."
                ),
            )
        for task, score in held_out.items():
            falling = score < self._best.get(task, score) * (1 - FALL)
            learning = losses.get(task, 0.0) <= self._losses.get(task, float("inf"))
            self._falls[task] = self._falls.get(task, 0) + 1 if falling and learning else 0
            self._best[task] = max(score, self._best.get(task, score))
            self._losses[task] = losses.get(task, 0.0)
            if self._falls[task] >= FALLS_IN_A_ROW:
                rising = [other for other in held_out if other != task and held_out[other] >= self._best[other]]
                towards = f" The run fits {', '.join(rising)} at its cost: lower their weight." if rising else ""
                yield (
                    f"falls {task}",
                    (
                        f"Task '{task}': its loss falls, but so does its held-out MRR ({score:.3f} after {self._best[task]:.3f}): "
                        f"overfitting. Stop, or add data.{towards}"
                    ),
                )
