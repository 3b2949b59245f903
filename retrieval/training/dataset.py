"""Pairs as token arrays: the four parts of a pair (doc, path, name, body) are tokenized once, apart, and put together when a
batch is made. Words never cross a line, so that the ids are the same as those of the whole passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model.config import C2LLMConfig
from retrieval.training.extraction import Pair
from retrieval.training.mining import read_rows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = NDArray[np.uint16]
Tokens = NDArray[np.integer[Any]]
PARTS = ("doc", "path", "name", "body")
_ENCODE_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of different lengths in one array: row i is `values[starts[i]:starts[i + 1]]`."""

    values: Ids
    starts: NDArray[np.int64]

    def __getitem__(self, row: int) -> Ids:
        return self.values[self.starts[row] : self.starts[row + 1]]

    def __len__(self) -> int:
        return len(self.starts) - 1


def save_arrays(target: Path, **arrays: NDArray[Any]) -> None:
    """Written whole or not at all: whoever finds the file takes it as finished."""
    part = target.with_name(f"{target.name}.part")
    with part.open("wb") as handle:
        np.savez(handle, **arrays)  # type: ignore[arg-type]
    part.replace(target)


@dataclass(frozen=True, slots=True)
class TokenizedPairs:
    parts: dict[str, Ragged]
    path_parts: NDArray[np.uint8]  # how many tokens the file name has: what is kept of the path at least
    languages: NDArray[np.int16]
    packages: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.languages)

    def save(self, target: Path) -> None:
        arrays: dict[str, Any] = {
            "path_parts": self.path_parts,
            "languages": self.languages,
            "packages": self.packages,
        }
        for name, ragged in self.parts.items():
            arrays |= {f"{name}_values": ragged.values, f"{name}_starts": ragged.starts}
        save_arrays(target, **arrays)

    @classmethod
    def load(cls, source: Path) -> TokenizedPairs:
        with np.load(source) as arrays:
            parts = {name: Ragged(arrays[f"{name}_values"], arrays[f"{name}_starts"]) for name in PARTS}
            return cls(parts, arrays["path_parts"], arrays["languages"], arrays["packages"])


def tokenize(source: Path, tokenizer: Tokenizer, *, limit: int | None = None, body_tokens: int = 200) -> TokenizedPairs:
    """All rows of a .jsonl of pairs, or `limit` of them spread over it."""
    rows = list(read_rows(source))
    if limit is not None and len(rows) > limit:
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:limit]]
    pairs = [pair for _, pair in rows]
    languages = _numbered([pair.language for pair in pairs]).astype(np.int16)
    packages = _numbered([package for package, _ in rows])
    parts = {name: ragged(tokenizer, [_part(pair, name) for pair in pairs], body_tokens) for name in PARTS}
    files = ragged(tokenizer, [PurePosixPath(pair.path).name for pair in pairs], body_tokens)
    return TokenizedPairs(parts, np.minimum(np.diff(files.starts), 255).astype(np.uint8), languages, packages)


def _numbered(names: list[str]) -> NDArray[np.int32]:
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names], dtype=np.int32)


def _part(pair: Pair, name: str) -> str:
    return {"doc": pair.doc, "path": pair.path, "name": pair.qualified, "body": pair.body}[name]


def ragged(tokenizer: Tokenizer, texts: Sequence[str], limit: int = 200) -> Ragged:
    """At most `limit` tokens of each text."""
    rows: list[Ids] = []
    for start in range(0, len(texts), _ENCODE_AT_ONCE):
        encoded = tokenizer.encode_batch_fast(texts[start : start + _ENCODE_AT_ONCE])
        rows += [np.array(e.ids[:limit], dtype=np.uint16) for e in encoded]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Ragged(np.concatenate(rows) if rows else np.zeros(0, np.uint16), starts)


def instructions(tokenizer: Tokenizer, config: C2LLMConfig) -> tuple[Ids, Ids]:
    """What stands before each query, and before each passage."""
    query, passage = (
        np.array(tokenizer.encode(text).ids, dtype=np.uint16)
        for text in (config.query_instruction, config.document_instruction)
    )
    return query, passage


def padded(rows: Sequence[Tokens]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and masks (1 = real), right-padded."""
    width = max(1, *(len(row) for row in rows))
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : max(len(row), 1)] = 1
    return ids, mask
