"""Pairs as token arrays, and the batches of a training run.

The four parts of a pair (doc, path, name, body) are tokenized once, apart, and put together when a batch is made:
words never cross a line, so that the ids are the same as those of the whole passage. Which variant a pair shows (doc
or name as the query, how much of the path, the doc inside the passage) depends on the seed, the epoch and the pair
alone: a resumed run sees the same batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model.config import C2LLMConfig
from retrieval.training.extraction import Pair
from retrieval.training.mining import read_pairs

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = NDArray[np.uint16]
PARTS = ("doc", "path", "name", "body")
NAME_QUERIES = 0.12  # share of the queries that are the split name, as people type keywords
DOC_IN_PASSAGE = 0.15  # share of the passages that show the doc too, as real chunks do
NAME_IN_PASSAGE = 0.75  # share of the passages with the scope and symbol line; windows have none
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


@dataclass(frozen=True, slots=True)
class TokenizedPairs:
    parts: dict[str, Ragged]
    path_parts: NDArray[np.uint8]  # how many tokens the file name has: what is kept of the path at least
    languages: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.languages)

    def save(self, target: Path) -> None:
        arrays: dict[str, Any] = {"path_parts": self.path_parts, "languages": self.languages}
        for name, ragged in self.parts.items():
            arrays |= {f"{name}_values": ragged.values, f"{name}_starts": ragged.starts}
        with target.open("wb") as handle:
            np.savez(handle, **arrays)

    @classmethod
    def load(cls, source: Path) -> TokenizedPairs:
        with np.load(source) as arrays:
            parts = {name: Ragged(arrays[f"{name}_values"], arrays[f"{name}_starts"]) for name in PARTS}
            return cls(parts, arrays["path_parts"], arrays["languages"])


def tokenize(source: Path, tokenizer: Tokenizer, *, limit: int | None = None, body_tokens: int = 200) -> TokenizedPairs:
    """All rows of a .jsonl of pairs, or `limit` of them spread over it."""
    rows = list(read_pairs(source))
    if limit is not None and len(rows) > limit:
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:limit]]
    names = {language: number for number, language in enumerate(sorted({row.language for row in rows}))}
    languages = np.array([names[row.language] for row in rows], dtype=np.int16)
    parts = {name: _encode(tokenizer, [_part(row, name) for row in rows], body_tokens) for name in PARTS}
    files = _encode(tokenizer, [PurePosixPath(row.path).name for row in rows], body_tokens)
    return TokenizedPairs(parts, np.minimum(np.diff(files.starts), 255).astype(np.uint8), languages)


def _part(pair: Pair, name: str) -> str:
    return {"doc": pair.doc, "path": pair.path, "name": pair.qualified, "body": pair.body}[name]


def _encode(tokenizer: Tokenizer, texts: list[str], limit: int) -> Ragged:
    rows: list[Ids] = []
    for start in range(0, len(texts), _ENCODE_AT_ONCE):
        encoded = tokenizer.encode_batch_fast(texts[start : start + _ENCODE_AT_ONCE])
        rows += [np.array(e.ids[:limit], dtype=np.uint16) for e in encoded]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Ragged(np.concatenate(rows) if rows else np.zeros(0, np.uint16), starts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded ids and masks (1 = real), right-padded."""

    query_ids: NDArray[np.int64]
    query_mask: NDArray[np.int64]
    passage_ids: NDArray[np.int64]
    passage_mask: NDArray[np.int64]


class Batches:
    """The batches of one epoch after another, each of one language (harder negatives) and of neighbouring lengths
    (less padding)."""

    def __init__(
        self, pairs: TokenizedPairs, tokenizer: Tokenizer, config: C2LLMConfig, *, size: int, seed: int
    ) -> None:
        self._pairs, self._config, self._size, self._seed = pairs, config, size, seed
        self._query_prefix = np.array(tokenizer.encode(config.query_instruction).ids, dtype=np.uint16)
        self._passage_prefix = np.array(tokenizer.encode(config.document_instruction).ids, dtype=np.uint16)
        self._lengths = np.diff(pairs.parts["body"].starts)
        self._order: tuple[int, list[NDArray[np.int64]]] | None = None
        self.per_epoch = len(self._epoch(0))  # the same in every epoch: languages keep their sizes

    def batch(self, step: int) -> Batch:
        """The batch of that step of the run, computed from the step alone."""
        epoch, place = divmod(step, self.per_epoch)
        rows = self._epoch(epoch)[place]
        chance = np.random.default_rng([self._seed, 1, step]).random((len(rows), 4))
        queries = [self._query(int(row), c) for row, c in zip(rows, chance, strict=True)]
        passages = [self._passage(int(row), c) for row, c in zip(rows, chance, strict=True)]
        return Batch(*padded(queries), *padded(passages))

    def _epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, self._arranged(np.random.default_rng([self._seed, 0, epoch])))
        return self._order[1]

    def _arranged(self, random: np.random.Generator) -> list[NDArray[np.int64]]:
        batches: list[NDArray[np.int64]] = []
        pool = 8 * self._size  # sorted by length inside pools, so that each batch still mixes packages
        for language in np.unique(self._pairs.languages):
            rows = random.permutation(np.flatnonzero(self._pairs.languages == language))
            for start in range(0, len(rows), pool):
                part = rows[start : start + pool]
                part = part[np.argsort(self._lengths[part], kind="stable")]
                batches += [part[i : i + self._size] for i in range(0, len(part), self._size)]
        batches = [batch for batch in batches if len(batch) >= min(self._size, len(self._pairs)) // 4]
        return [batches[i] for i in random.permutation(len(batches))]

    def _query(self, row: int, chance: NDArray[np.float64]) -> Ids:
        name = self._pairs.parts["name"][row]
        chosen = name if chance[0] < NAME_QUERIES and len(name) >= 2 else self._pairs.parts["doc"][row]
        return np.concatenate([self._query_prefix, chosen])[: self._config.max_query_tokens]

    def _passage(self, row: int, chance: NDArray[np.float64]) -> Ids:
        parts = self._pairs.parts
        path, least = parts["path"][row], int(self._pairs.path_parts[row])
        kept = least + int(chance[1] * (len(path) - least + 1))
        pieces = [self._passage_prefix, path[len(path) - min(kept, len(path)) :]]
        if chance[2] < NAME_IN_PASSAGE:
            pieces.append(parts["name"][row])
        if chance[3] < DOC_IN_PASSAGE:
            pieces.append(parts["doc"][row])
        return np.concatenate([*pieces, parts["body"][row]])[: self._config.max_passage_tokens]

    def evaluation(self, rows: NDArray[np.int64], part: str) -> list[Ids]:
        """Queries or full passages (whole path, name, no doc) for validation."""
        fixed = np.array([1.0, 0.999, 0.0, 1.0])
        return [self._query(int(row), fixed) if part == "query" else self._passage(int(row), fixed) for row in rows]


def padded(rows: list[Ids]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    width = max(1, *(len(row) for row in rows))
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : max(len(row), 1)] = 1
    return ids, mask
