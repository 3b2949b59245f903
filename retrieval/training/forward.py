"""Forward passes over token sequences, with and without gradients.

Sequences are grouped by length: half of a batch of queries would be padding otherwise. A right-padded model without adapters runs
through `RightPadded`, with one embedding look-up a step (the gradient of each look-up is as large as the whole embedding table);
a model with adapters runs through its own modules.
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

GROUP_SIZE = 32  # sequences of similar length in one forward pass

Integers = NDArray[np.int64]
GroupVectors = Callable[[], Tensor]


@dataclass(frozen=True, slots=True)
class Validation:
    """Held-out queries and passages; passage i is the answer to query i. `query_vectors` as those of a `TrainingBatch`."""

    queries: Sequence[Tokens]
    passages: Sequence[Tokens]
    query_vectors: NDArray[np.float32] | None = None


class Forward:
    """The vectors of one batch. `groups` gives (rows, how to compute their vectors) for queries or passages."""

    def __init__(self, model: C2LLM, batch: TrainingBatch, *, bf16: bool = False) -> None:
        self._model, self._bf16 = model, bf16
        self._device = next(model.parameters()).device
        self._right_padded = RightPadded(model).to(self._device) if supports_right_padded(model) else None
        self._tokens = np.zeros(0, dtype=np.int64)
        self._rows: Tensor | None = None
        self._embedding_leaf: Tensor | None = None
        if self._right_padded is not None:
            self._tokens = np.unique(np.concatenate([batch.query_ids.ravel(), batch.passage_ids.ravel()]))
            self._rows = self._right_padded.embed(self._on_device(self._tokens))
            self._embedding_leaf = self._rows.detach().requires_grad_()

    def vectors(self, ids: Integers, mask: Integers) -> Tensor:
        parts = list(self.groups(ids, mask))
        if not parts:
            return torch.zeros(0, self._model.config.dimension, device=self._device)
        order = np.concatenate([rows for rows, _ in parts])
        return torch.cat([compute() for _, compute in parts])[self._on_device(np.argsort(order))]

    def groups(self, ids: Integers, mask: Integers) -> Iterator[tuple[Integers, GroupVectors]]:
        lengths = mask.sum(axis=1)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), GROUP_SIZE):
            rows = order[start : start + GROUP_SIZE]
            width = int(lengths[rows].max())
            yield rows, lambda r=rows, w=width: self._group(ids[r, :w], mask[r, :w])  # type: ignore[misc]

    def _group(self, ids: Integers, mask: Integers) -> Tensor:
        on_device = self._on_device(mask)
        with autocast(self._device, self._bf16):
            if self._right_padded is None or self._embedding_leaf is None:
                vectors = self._model(self._on_device(ids), on_device)[0]
            else:
                indices = self._on_device(np.searchsorted(self._tokens, ids))
                vectors = self._right_padded.pool(
                    torch.nn.functional.embedding(indices, self._embedding_leaf), on_device
                )[0]
        result: Tensor = vectors.float()
        return result

    def finish_backward(self) -> None:
        """Backpropagate the gradients of the looked-up embeddings into the embedding table."""
        if (
            self._rows is not None
            and self._embedding_leaf is not None
            and self._embedding_leaf.grad is not None
            and self._rows.requires_grad
        ):
            torch.autograd.backward(self._rows, self._embedding_leaf.grad)

    def _on_device(self, array: Integers) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def supports_right_padded(model: C2LLM) -> bool:
    """True for a right-padded model without adapters (peft replaces modules of the layers)."""
    plain = not any("lora_" in name for name, _ in model.named_parameters())
    return plain and model.config.padding_side == "right"


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if bf16 else nullcontext()


def encode(model: C2LLM, rows: Sequence[Tokens], *, batch_size: int = 128) -> NDArray[np.float32]:
    """Vectors of token sequences, in their order."""
    vectors = np.zeros((len(rows), model.config.dimension), dtype=np.float32)
    for batch_rows, result, _ in _encode_batches(model, rows, batch_size):
        vectors[batch_rows] = result
    return vectors


def attention(model: C2LLM, rows: Sequence[Tokens], *, batch_size: int = 128) -> list[NDArray[np.float32]]:
    """The pooling attention over the tokens of each sequence."""
    weights: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rows)
    for batch_rows, _, result in _encode_batches(model, rows, batch_size):
        for place, row in enumerate(batch_rows):
            weights[row] = result[place, : len(rows[row])]
    return weights


def _encode_batches(
    model: C2LLM, rows: Sequence[Tokens], batch_size: int
) -> Iterator[tuple[Integers, NDArray[np.float32], NDArray[np.float32]]]:
    device = next(model.parameters()).device
    forward = RightPadded(model.eval()).to(device) if supports_right_padded(model) else model.eval()
    order = np.argsort([len(row) for row in rows], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch_rows = order[start : start + batch_size]
            ids, mask = (torch.from_numpy(part).to(device) for part in padded([rows[i] for i in batch_rows]))
            vectors, weights = forward(ids, mask)
            yield batch_rows, vectors.float().cpu().numpy(), weights.float().cpu().numpy()


def mean_reciprocal_rank(model: C2LLM, validation: Validation) -> float:
    passages = encode(model, validation.passages)
    queries = encode(model, validation.queries) if validation.query_vectors is None else validation.query_vectors
    scores = queries @ passages.T
    own = scores[np.arange(len(queries)), np.arange(len(queries))]
    return float((1.0 / (1 + (scores > own[:, None]).sum(axis=1))).mean())
