"""A trained run as an encoder: for the benchmark, which searches with it, and for its attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders.protocol import Vectors
from retrieval.encoders.tokenization import TextTokenizer, TokenRows
from retrieval.evaluation.pooling.runs import TrainingRun
from retrieval.evaluation.pooling.variants import with_end_token
from retrieval.model.checkpoint import WEIGHTS_NAME
from retrieval.model.fingerprint import fingerprint_of
from retrieval.training.dataset import Tokens
from retrieval.training.forward import attention, encode


class RunEncoder:
    """Reads texts as the run's variant does: an END goes behind what fits into the window."""

    def __init__(self, run: TrainingRun, tokenizer_folder: Path) -> None:
        self._run, self.model = run, run.model()
        self._text_tokenizer = TextTokenizer(tokenizer_folder, self.model.config)
        self._fingerprint = fingerprint_of([run.folder / WEIGHTS_NAME], run.variant.name)

    @property
    def name(self) -> str:
        return self._run.name

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self.model.config.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return encode(self.model, self._tokenize(self._text_tokenizer.queries(texts)))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return encode(self.model, self._tokenize(self._text_tokenizer.passages(texts)))

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """Read as passages. What falls on the instruction is shared out among the text's own tokens."""
        rows = self._text_tokenizer.passages(texts, offsets=True)
        weights: list[NDArray[np.float32]] = attention(self.model, self._tokenize(rows))
        return [
            self._text_tokenizer.passage_weights(offsets, row) for (_, offsets), row in zip(rows, weights, strict=True)
        ]

    def _tokenize(self, rows: TokenRows) -> list[Tokens]:
        return with_end_token([np.array(ids, dtype=np.int64) for ids, _ in rows], self._run.variant)
