"""From text to token ids, as a model's folder says: tokenizer.json, instructions, limits. Every encoder of ours reads through this.

Whatever the text is, something comes of it: lone surrogates are replaced, an empty text gets one token where its instruction is
empty too, and of a long one only as much is tokenized as fills the model's window.
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
# More than a token has on average, even in text full of white space and punctuation: enough fills the model's window.
CHARS_PER_TOKEN = 24
TEXTS_TOKENIZED = 64  # at once: what a tokenizer makes of 512 is freed in one go, 40 ms under the interpreter's lock
EMPTY = ("[UNK]", "<|endoftext|>")  # what stands for nothing at all, by kind of tokenizer

REMEDY = "reinstall the package, or export or download the model again"

Offsets = list[tuple[int, int]]
Rows = list[tuple[list[int], Offsets]]  # token ids and the characters they stand for


class Reader:
    """A tokenizer with the instructions and limits of its model; safe to call from several threads."""

    def __init__(self, folder: Path, config: C2LLMConfig) -> None:
        self._config = config
        self._tokenizer = _load_tokenizer(folder / TOKENIZER_NAME)
        if (size := self._tokenizer.get_vocab_size()) > config.vocab_size:
            raise ModelError(
                f"{folder / TOKENIZER_NAME} knows {size:,} tokens and the model {config.vocab_size:,}: it is that of "
                f"another model; {REMEDY}."
            )
        known = (self._tokenizer.token_to_id(name) for name in EMPTY)
        self._nothing = [next((found for found in known if found is not None), 0)]

    def queries(self, texts: Sequence[str]) -> Rows:
        return self._read(texts, self._config.query_instruction, self._config.max_query_tokens)

    def passages(self, texts: Sequence[str], *, offsets: bool = False) -> Rows:
        """Without offsets it takes three quarters of the time."""
        return self._read(texts, self._config.document_instruction, self._config.max_passage_tokens, offsets=offsets)

    def own(self, offsets: Offsets, weights: NDArray[np.float32]) -> list[tuple[int, int, float]]:
        """Weights over the characters of the passage itself: what falls on the instruction is shared out among them."""
        prefix = len(self._config.document_instruction)
        pairs = zip(offsets, weights, strict=False)
        own = [(max(a - prefix, 0), b - prefix, float(w)) for (a, b), w in pairs if b > prefix]
        total = sum(w for _, _, w in own)
        return [(a, b, w / total if total > 0 else 1.0 / len(own)) for a, b, w in own]

    def _read(self, texts: Sequence[str], instruction: str, limit: int, *, offsets: bool = False) -> Rows:
        limit = min(limit, self._config.max_position_embeddings)
        rows: Rows = []
        for start in range(0, len(texts), TEXTS_TOKENIZED):
            rows += self._some(texts[start : start + TEXTS_TOKENIZED], instruction, limit, CHARS_PER_TOKEN, offsets)
        return rows

    def _some(self, texts: Sequence[str], instruction: str, limit: int, chars: int, offsets: bool) -> Rows:
        encode = self._tokenizer.encode_batch if offsets else self._tokenizer.encode_batch_fast
        most = limit * chars
        rows: Rows = []
        for text, e in zip(
            texts,
            encode([instruction + encodable(text[:most]) for text in texts], add_special_tokens=False),
            strict=True,
        ):
            if len(e.ids) < limit and len(text) > most:  # a token may stand for a whole line of spaces
                rows += self._some([text], instruction, limit, 4 * chars, offsets)
            else:
                rows.append((e.ids[:limit] or self._nothing, (e.offsets[:limit] if offsets else []) or [(0, 0)]))
        return rows


def encodable(text: str) -> str:
    """Lone surrogates, which a tokenizer refuses, become question marks: the length stays the same."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def require_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"The model has no {path.name} in {path.parent}: {REMEDY}.")


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _load_tokenizer(path: Path) -> Tokenizer:
    require_file(path)
    # Its threads ignore the thread budget and do not survive a fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelError(f"{path} is not a readable tokenizer ({first_line(error)}): {REMEDY}.") from error
    tokenizer.no_padding()  # both are ours to do, whatever the file says
    tokenizer.no_truncation()
    return tokenizer
