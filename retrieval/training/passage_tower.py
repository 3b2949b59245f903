"""An asymmetric model: passages are read without layers, by a tower that is trained to meet the vectors of queries.

A repository has many thousands of passages and a question is one query, so what a passage costs decides how long indexing
takes. The whole model goes on reading queries and stays as it is. The tower, token embeddings and pooling, begins with the
model's own and learns from two losses: InfoNCE against the model's query vectors, and the distribution of each query's
similarities over the batch as the whole model sees it, passages included.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retrieval.model.c2llm import C2LLM
from retrieval.model.config import with_layers
from retrieval.training.batches import TrainingBatch
from retrieval.training.dataset import Tokens
from retrieval.training.forward import Integers, Validation, encode
from retrieval.training.trainer import Source


class FrozenQueries:
    """The batches of another source, with the whole model's query vectors and similarities."""

    def __init__(self, source: Source, model: C2LLM) -> None:
        self._source, self._model = source, model.eval()

    def batch(self, step: int) -> TrainingBatch:
        batch = self._source.batch(step)
        queries = encode(self._model, _rows(batch.query_ids, batch.query_mask))
        similarities = queries @ encode(self._model, _rows(batch.passage_ids, batch.passage_mask)).T
        if batch.ignored is not None:
            similarities[batch.ignored] = np.nan
        return replace(batch, query_vectors=queries, teacher=similarities)


def without_layers(model: C2LLM) -> C2LLM:
    """Its token embeddings and pooling, copied."""
    tower = C2LLM(with_layers(model.config, 0))
    tower.load_state_dict(model.state_dict(), strict=False)
    return tower


def with_query_vectors(validation: Validation, model: C2LLM) -> Validation:
    return replace(validation, query_vectors=encode(model, validation.queries))


def _rows(ids: Integers, mask: Integers) -> list[Tokens]:
    return [row[:length] for row, length in zip(ids, mask.sum(axis=1), strict=True)]
