"""Initialization and merging: token embeddings from a teacher, progressive stacking of layers, averages of weights.

Progressive stacking: a model without layers learns its embeddings in minutes; new layers with zero output projections are
identities at first, so that the deeper model starts exactly as good as the shallow one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.model.c2llm import C2LLM
from retrieval.model.config import with_layers

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EMBEDDING_SCALE = 0.1  # standard deviation of the initial embeddings
LAYER_SCALE = 0.02

Teacher = Callable[[Sequence[str]], NDArray[np.float32]]


def embeddings_from_teacher(tokenizer: Tokenizer, teacher: Teacher, width: int) -> torch.Tensor:
    """The teacher's vectors of the single tokens, reduced to `width` principal components."""
    tokens = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
    vectors = teacher([token.removeprefix("##") or "-" for token in tokens]).astype(np.float64)
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    reduced = centred @ directions[:, ::-1][:, :width]
    if reduced.shape[1] < width:
        reduced = np.pad(reduced, ((0, 0), (0, width - reduced.shape[1])))
    return torch.tensor(reduced / reduced.std() * EMBEDDING_SCALE, dtype=torch.float32)


def set_embeddings(model: C2LLM, table: torch.Tensor) -> None:
    weight = model.plm_model.model.embed_tokens.weight
    with torch.no_grad():
        weight[: len(table)] = table


def stack_layers(model: C2LLM, layers: int) -> C2LLM:
    """A copy with more layers; the new ones are identities until trained."""
    deeper = C2LLM(with_layers(model.config, layers))
    with torch.no_grad():
        for layer in deeper.plm_model.model.layers:
            for name, parameter in layer.named_parameters():
                if parameter.dim() > 1:
                    parameter.normal_(std=LAYER_SCALE)
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    parameter.zero_()
    deeper.load_state_dict(model.state_dict(), strict=False)
    return deeper


def average_weights(models: Sequence[C2LLM]) -> C2LLM:
    """A model soup: the mean of the weights of models that were fine-tuned from the same one."""
    mean = C2LLM(models[0].config)
    states = [model.state_dict() for model in models]
    mean.load_state_dict({name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]})
    return mean
