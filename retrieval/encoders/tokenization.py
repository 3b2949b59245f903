"""Tokenizes text as the model folder specifies: tokenizer.json, instructions, limits. All our encoders use it.

Every text yields tokens: lone surrogates are replaced, an empty text without an instruction gets one token, and a long text
is tokenized only as far as it fills the context window.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import ModelError
from retrieval.model.config import C2LLMConfig

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_NAME = "tokenizer.json"
# More than the average length of a token, even in text full of white space and punctuation.
CHARS_PER_TOKEN = 24
TOKENIZER_BATCH_SIZE = 64  # per call: freeing the encodings of 512 texts at once holds the GIL for 40 ms
FALLBACK_TOKENS = ("[UNK]", "<|endoftext|>")  # stand-in for an empty text, by kind of tokenizer

REMEDY = "reinstall the package, or export or download the model again"

Offsets = list[tuple[int, int]]
TokenRows = list[tuple[list[int], Offsets]]  # token ids and their character offsets


class TextTokenizer:
    """A tokenizer with the instructions and limits of its model; thread-safe."""

    def __init__(self, folder: Path, config: C2LLMConfig) -> None:
        self._config = config
        self._tokenizer = _load_tokenizer(folder / TOKENIZER_NAME)
        if (size := self._tokenizer.get_vocab_size()) > config.vocab_size:
            raise ModelError(
                f"{folder / TOKENIZER_NAME} knows {size:,} tokens and the model {config.vocab_size:,}: it is that of "
                f"another model; {REMEDY}."
            )
        token_ids = (self._tokenizer.token_to_id(name) for name in FALLBACK_TOKENS)
        self._fallback_ids = [next((token_id for token_id in token_ids if token_id is not None), 0)]

    def queries(self, texts: Sequence[str], instruction: str | None = None) -> TokenRows:
        """Under the model's own instruction unless another one is given."""
        own = self._config.query_instruction
        return self._tokenize(texts, own if instruction is None else instruction, self._config.max_query_tokens)

    def passages(self, texts: Sequence[str], *, offsets: bool = False) -> TokenRows:
        """Without offsets it takes 75 % of the time."""
        return self._tokenize(
            texts, self._config.document_instruction, self._config.max_passage_tokens, offsets=offsets
        )

    def passage_weights(self, offsets: Offsets, weights: NDArray[np.float32]) -> list[tuple[int, int, float]]:
        """Weights over the characters of the passage itself; weight on the instruction is distributed among them."""
        prefix = len(self._config.document_instruction)
        pairs = zip(offsets, weights, strict=False)
        own = [(max(a - prefix, 0), b - prefix, float(w)) for (a, b), w in pairs if b > prefix]
        total = sum(w for _, _, w in own)
        return [(a, b, w / total if total > 0 else 1.0 / len(own)) for a, b, w in own]

    def _tokenize(self, texts: Sequence[str], instruction: str, limit: int, *, offsets: bool = False) -> TokenRows:
        limit = min(limit, self._config.max_position_embeddings)
        rows: TokenRows = []
        for start in range(0, len(texts), TOKENIZER_BATCH_SIZE):
            rows += self._tokenize_some(
                texts[start : start + TOKENIZER_BATCH_SIZE], instruction, limit, CHARS_PER_TOKEN, offsets
            )
        return rows

    def _tokenize_some(
        self, texts: Sequence[str], instruction: str, limit: int, chars: int, offsets: bool
    ) -> TokenRows:
        encode = self._tokenizer.encode_batch if offsets else self._tokenizer.encode_batch_fast
        max_chars = limit * chars
        rows: TokenRows = []
        for text, e in zip(
            texts,
            encode([instruction + encodable(text[:max_chars]) for text in texts], add_special_tokens=False),
            strict=True,
        ):
            if len(e.ids) < limit and len(text) > max_chars:  # a token may stand for a whole line of spaces
                rows += self._tokenize_some([text], instruction, limit, 4 * chars, offsets)
            else:
                rows.append((e.ids[:limit] or self._fallback_ids, (e.offsets[:limit] if offsets else []) or [(0, 0)]))
        return rows


def encodable(text: str) -> str:
    """Lone surrogates, which a tokenizer refuses, become question marks: the length stays the same."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


# Those of models with 250,000 words have 17 MB; it is read whole, and becomes several times as large.
MAX_TOKENIZER_BYTES = 256 * 1024 * 1024


def require_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"The model has no {path.name} in {path.parent}: {REMEDY}.")


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _load_tokenizer(path: Path) -> Tokenizer:
    require_file(path)
    if path.stat().st_size > MAX_TOKENIZER_BYTES:
        raise ModelError(f"{path} is larger than any tokenizer: {REMEDY}.")
    # Its threads ignore the thread budget and do not survive a fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelError(f"{path} is not a readable tokenizer ({first_line(error)}): {REMEDY}.") from error
    tokenizer.no_padding()  # this module does both, whatever the file says
    tokenizer.no_truncation()
    return tokenizer
