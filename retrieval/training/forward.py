"""Token rows through a model, with and without gradients.

Rows of like length go together: half of a batch of queries would be padding otherwise. A plain model padded on the right runs by
the short way of `RightPadded`, its embeddings looked up once a step (the gradient of each look-up is as large as the
whole token table); one with adapters on its layers runs through its own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retrieval.model.c2llm import C2LLM
from retrieval.model.right_padded import RightPadded
from retrieval.training.batches import TrainingBatch
from retrieval.training.dataset import Tokens, padded

ROWS_A_GROUP = 32  # rows of like length that go through the model together

Integers = NDArray[np.int64]
GroupVectors = Callable[[], Tensor]


@dataclass(frozen=True, slots=True)
class Validation:
    """Queries against passages that were held out; row i of the queries belongs to row i of the passages."""

    queries: Sequence[Tokens]
    passages: Sequence[Tokens]


class Forward:
    """The vectors of one batch. `groups` gives (rows, how to compute their vectors) for queries or passages."""

    def __init__(self, model: C2LLM, batch: TrainingBatch, *, bf16: bool = False) -> None:
        self._model, self._bf16 = model, bf16
        self._device = next(model.parameters()).device
        self._short = RightPadded(model).to(self._device) if has_short_way(model) else None
        self._tokens = np.zeros(0, dtype=np.int64)
        self._rows: Tensor | None = None
        self._leaf: Tensor | None = None
        if self._short is not None:
            self._tokens = np.unique(np.concatenate([batch.query_ids.ravel(), batch.passage_ids.ravel()]))
            self._rows = self._short.embedded(self._on_device(self._tokens))
            self._leaf = self._rows.detach().requires_grad_()

    def vectors(self, ids: Integers, mask: Integers) -> Tensor:
        parts = list(self.groups(ids, mask))
        if not parts:
            return torch.zeros(0, self._model.config.dimension, device=self._device)
        order = np.concatenate([rows for rows, _ in parts])
        return torch.cat([compute() for _, compute in parts])[self._on_device(np.argsort(order))]

    def groups(self, ids: Integers, mask: Integers) -> Iterator[tuple[Integers, GroupVectors]]:
        lengths = mask.sum(axis=1)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), ROWS_A_GROUP):
            rows = order[start : start + ROWS_A_GROUP]
            width = int(lengths[rows].max())
            yield rows, lambda r=rows, w=width: self._group(ids[r, :w], mask[r, :w])  # type: ignore[misc]

    def _group(self, ids: Integers, mask: Integers) -> Tensor:
        on_device = self._on_device(mask)
        with precision(self._device, self._bf16):
            if self._short is None or self._leaf is None:
                vectors = self._model(self._on_device(ids), on_device)[0]
            else:
                places = self._on_device(np.searchsorted(self._tokens, ids))
                vectors = self._short.pooled(torch.nn.functional.embedding(places, self._leaf), on_device)[0]
        found: Tensor = vectors.float()
        return found

    def finish_backward(self) -> None:
        """Hands the gradients of the looked-up embeddings on to the token table."""
        if (
            self._rows is not None
            and self._leaf is not None
            and self._leaf.grad is not None
            and self._rows.requires_grad
        ):
            torch.autograd.backward(self._rows, self._leaf.grad)

    def _on_device(self, array: Integers) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def has_short_way(model: C2LLM) -> bool:
    """True for a plain model padded on the right; adapters (peft) put modules of their own in the layers' places."""
    plain = not any("lora_" in name for name, _ in model.named_parameters())
    return plain and model.config.padding_side == "right"


def precision(device: torch.device, bf16: bool) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if bf16 else nullcontext()


def encode(model: C2LLM, rows: Sequence[Tokens], *, at_once: int = 128) -> NDArray[np.float32]:
    """Vectors of token rows, in their order."""
    vectors = np.zeros((len(rows), model.config.dimension), dtype=np.float32)
    for chosen, found, _ in _encoded(model, rows, at_once):
        vectors[chosen] = found
    return vectors


def attention(model: C2LLM, rows: Sequence[Tokens], *, at_once: int = 128) -> list[NDArray[np.float32]]:
    """The pooling's weights over the tokens of each row."""
    weights: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rows)
    for chosen, _, found in _encoded(model, rows, at_once):
        for place, row in enumerate(chosen):
            weights[row] = found[place, : len(rows[row])]
    return weights


def _encoded(
    model: C2LLM, rows: Sequence[Tokens], at_once: int
) -> Iterator[tuple[Integers, NDArray[np.float32], NDArray[np.float32]]]:
    device = next(model.parameters()).device
    forward = RightPadded(model.eval()).to(device) if has_short_way(model) else model.eval()
    order = np.argsort([len(row) for row in rows], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(rows), at_once):
            chosen = order[start : start + at_once]
            ids, mask = (torch.from_numpy(part).to(device) for part in padded([rows[i] for i in chosen]))
            vectors, weights = forward(ids, mask)
            yield chosen, vectors.float().cpu().numpy(), weights.float().cpu().numpy()


def mean_reciprocal_rank(model: C2LLM, validation: Validation) -> float:
    queries, passages = encode(model, validation.queries), encode(model, validation.passages)
    scores = queries @ passages.T
    own = scores[np.arange(len(queries)), np.arange(len(queries))]
    return float((1.0 / (1 + (scores > own[:, None]).sum(axis=1))).mean())
