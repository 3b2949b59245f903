"""The poolings that are compared, and how each of them reads a text.

EOS pooling gets a token of its own behind each text, as models that pool by it do: the state of whatever word a text happens to
end with is a weaker rival, called `last` here. `even` is PMA with weights that stay equal, that is mean pooling with the
rest of PMA behind it: it tells what of PMA's effect is the choice among tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.model.c2llm import C2LLM
from retrieval.model.config import C2LLMConfig
from retrieval.model.pooling import PmaPooling
from retrieval.training.batches import TrainingBatch
from retrieval.training.dataset import Tokens, padded
from retrieval.training.trainer import Source

# [PAD], which no text holds; Qwen2's embedding models end their texts with its padding token as well.
END = 0


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    method: str  # of the configuration
    end: bool = False  # texts get an END
    even: bool = False  # PMA whose weights stay equal


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("pma", "pma"),
        Variant("mean", "mean"),
        Variant("eos", "eos", end=True),
        Variant("last", "eos"),
        Variant("even", "pma", even=True),
    )
}
COMPARED = ("pma", "mean", "eos")  # unless others are asked for


def new_model(variant: Variant, config: C2LLMConfig, table: torch.Tensor | None, seed: int) -> C2LLM:
    """The same backbone for the same seed, whatever the pooling. `table`: token embeddings to start from."""
    torch.manual_seed(seed)
    model = C2LLM(replace(config, embedding_method=variant.method))
    if table is not None:
        weight = model.plm_model.model.embed_tokens.weight
        with torch.no_grad():
            weight[: len(table)] = table
    if variant.even:
        keep_even(model)
    return model


def keep_even(model: C2LLM) -> None:
    """A query of zeros gives every token the same score."""
    assert isinstance(model.mha_pma, PmaPooling)
    for parameter in model.mha_pma.mab.fc_q.parameters():
        parameter.requires_grad_(False).zero_()


def with_end_token(rows: Sequence[Tokens], variant: Variant) -> list[Tokens]:
    """Token rows as the variant reads them."""
    return [np.append(row, END).astype(np.int64) for row in rows] if variant.end else list(rows)


@dataclass(frozen=True, slots=True)
class VariantSource:
    """Batches as a variant reads them."""

    source: Source
    variant: Variant

    def batch(self, step: int) -> TrainingBatch:
        batch = self.source.batch(step)
        if not self.variant.end:
            return batch
        query_ids, query_mask = _with_end(batch.query_ids, batch.query_mask)
        passage_ids, passage_mask = _with_end(batch.passage_ids, batch.passage_mask)
        return replace(
            batch, query_ids=query_ids, query_mask=query_mask, passage_ids=passage_ids, passage_mask=passage_mask
        )


def _with_end(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return padded([np.append(row[kept > 0], END) for row, kept in zip(ids, mask, strict=True)])
