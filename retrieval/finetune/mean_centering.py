"""Mean-centering: subtract the mean vector of a repository's passages, through the bias of the pooling's last norm.

Code of one project shares words and idioms, so that its vectors cluster around a mean that does not discriminate. The pooling
ends in a norm with an offset, and the vectors before they are brought to unit length are nearly equally long: an offset that
is smaller by a share of the mean moves all of them, questions too, without another operation. Nothing is trained, so that nothing
can be learnt by heart. A share chosen for each repository by its documented functions was no better than one for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from retrieval.model.c2llm import C2LLM
from retrieval.training.dataset import Tokens
from retrieval.training.forward import encode
from retrieval.training.mixture import tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHARE = 0.75  # of the mean; 0.3 does half as much, 1.0 the same within noise
LENGTH_SAMPLES = 64  # passages whose vectors' length is measured


def has_offset(model: C2LLM) -> bool:
    """Mean and EOS pooling end in no norm of their own, nor does PMA without one."""
    return isinstance(_norm(model), nn.LayerNorm)


def _norm(model: C2LLM) -> Any:
    return getattr(getattr(model.mha_pma, "mab", None), "ln1", None)


def centre(model: C2LLM, tokenizer: Tokenizer, passages: Sequence[str]) -> None:
    """Changes the model in place; `passages` are the repository's."""
    config = model.config
    rows = tokens(tokenizer, passages, config.document_instruction, config.max_passage_tokens)
    mean = encode(model, rows).mean(axis=0)
    offset = _norm(model).bias
    with torch.no_grad():
        offset.sub_(torch.from_numpy(SHARE * _length(model, rows[:LENGTH_SAMPLES]) * mean).to(offset.device))


def _length(model: C2LLM, rows: Sequence[Tokens]) -> float:
    """Of a vector before it is brought to length 1: after a norm all are nearly equally long."""
    lengths: list[float] = []
    hook = model.mha_pma.register_forward_hook(lambda _m, _i, out: lengths.extend(out[0].norm(dim=-1).tolist()))
    try:
        encode(model, rows)
    finally:
        hook.remove()
    return float(np.mean(lengths))
