"""Batch composition and augmentation of the pairs of the embedded model.

Both depend on the seed, the epoch and the step alone: a resumed run sees the same batches.

Negatives are the other passages of the batch, so the composition of batches decides how hard the task is. Search happens inside one
project, where most distractors share its vocabulary. Part of the batches therefore consists of runs of one package, part has one
language, part mixes everything. False negatives (same doc, same body, or same name or file if that is the query) are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.model.config import C2LLMConfig
from retrieval.training.dataset import Ids, TokenizedPairs, instructions, padded
from retrieval.training.synonym_augmentation import SynonymData

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
PACKAGE_RUN = 32  # consecutive pairs of one package
EPOCH_SHARE = 0.9  # the number of batches varies between epochs: each is truncated to this share
MIN_BODY_TOKENS = 24  # left of a body whose start is cut off
_PHRASE_TOKENS = (4, 12)  # length of a phrase taken from a doc
_BODY_KEY_TOKENS = 48  # bodies equal in this prefix count as duplicates


@dataclass(frozen=True, slots=True)
class Variation:
    """Augmentation: shares (0..1) of batches, and of pairs in them, that differ from doc -> path, name, body."""

    package_batches: float = 0.4
    mixed_batches: float = 0.2  # the rest are of one language
    name_queries: float = 0.12  # the split name, as people type keywords
    file_queries: float = 0.06  # file name and name: the topic words of a place
    phrase_queries: float = 0.2  # a few words in a row of the doc: most people type no sentence
    no_path: float = 0.1
    no_name: float = 0.25  # no scope and symbol line; windows have none
    doc_in_passage: float = 0.15  # the doc too, as real chunks have it, half of its tokens left out
    later_start: float = 0.3  # the body from somewhere in its middle
    token_dropout: float = 0.05  # of the tokens of queries and bodies
    reworded: float = 0.2  # docs and phrases with synonyms, where these are known
    synonyms: float = 0.35  # in those, of the words that have one
    english: SynonymData | None = None  # the synonyms, and what a teacher makes of the docs; None: nothing is reworded


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Right-padded ids and masks (1 = real); passage i is the positive of query i, further passages are hard negatives.

    `ignored` (queries, passages): false negatives. `teacher` (queries, passages): similarities to distill, NaN where unknown.
    `query_vectors` (queries, dimension): where another model reads the queries, its vectors; they are constants of the loss.
    """

    query_ids: NDArray[np.int64]
    query_mask: NDArray[np.int64]
    passage_ids: NDArray[np.int64]
    passage_mask: NDArray[np.int64]
    ignored: Bools | None = None
    teacher: NDArray[np.float32] | None = None
    task: str = ""
    query_vectors: NDArray[np.float32] | None = None


class Batches:
    """The batches of one epoch after another."""

    def __init__(
        self,
        pairs: TokenizedPairs,
        tokenizer: Tokenizer,
        config: C2LLMConfig,
        *,
        size: int,
        seed: int,
        variation: Variation | None = None,
    ) -> None:
        self._pairs, self._config, self._size, self._seed = pairs, config, size, seed
        self._variation = variation or Variation()
        self._synonym_data = self._variation.english
        self._query_prefix, self._passage_prefix = instructions(tokenizer, config)
        self._order: tuple[int, list[Rows]] | None = None
        self.per_epoch = max(1, int(len(pairs) / size * EPOCH_SHARE))

    def batch(self, step: int) -> TrainingBatch:
        """The batch of a step, computed from the step alone."""
        epoch, index = divmod(step, self.per_epoch)
        selected = self.epoch(epoch)
        rows = selected[index % len(selected)]
        random = np.random.default_rng([self._seed, 1, step])
        kinds = self._query_kinds(rows, random)
        queries = [self._query(int(row), kind, random) for row, kind in zip(rows, kinds, strict=True)]
        passages = [self._passage(int(row), random) for row in rows]
        ignored = self._ignored(rows, kinds)
        return TrainingBatch(*padded(queries), *padded(passages), ignored, self._similar(rows, ignored))

    def _similar(self, rows: Rows, ignored: Bools) -> NDArray[np.float32] | None:
        if self._synonym_data is None:
            return None
        similar = self._synonym_data.similarities(rows)
        similar[ignored] = np.nan
        return similar

    def epoch(self, epoch: int) -> list[Rows]:
        """The pair indices of each batch of an epoch."""
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, self._arrange(np.random.default_rng([self._seed, 0, epoch])))
        return self._order[1]

    def _arrange(self, random: np.random.Generator) -> list[Rows]:
        rows = random.permutation(len(self._pairs))
        mixed, by_package = (
            int(len(rows) * share) for share in (self._variation.mixed_batches, self._variation.package_batches)
        )
        batches = self._split(rows[:mixed])
        for language_rows in _group_rows(self._pairs.languages, rows[mixed : mixed + by_package]):
            batches += self._split(_package_runs(self._pairs.packages, language_rows, random))
        for language_rows in _group_rows(self._pairs.languages, rows[mixed + by_package :]):
            batches += self._split(language_rows)
        return [batches[i] for i in random.permutation(len(batches))][: self.per_epoch]

    def _split(self, rows: Rows) -> list[Rows]:
        parts = [rows[i : i + self._size] for i in range(0, len(rows), self._size)]
        return [part for part in parts if len(part) >= max(1, min(self._size, len(self._pairs)) // 4)]

    def _query_kinds(self, rows: Rows, random: np.random.Generator) -> NDArray[np.int8]:
        """0 doc, 1 part of it, 2 name, 3 file and name."""
        variation = self._variation
        boundaries = np.cumsum([variation.name_queries, variation.file_queries, variation.phrase_queries])
        kinds = np.array([2, 3, 1, 0], dtype=np.int8)[
            np.searchsorted(boundaries, random.random(len(rows)), side="right")
        ]
        lengths = np.array([len(self._pairs.parts["name"][int(row)]) for row in rows])
        return np.where((kinds == 2) & (lengths < 2), 0, kinds).astype(np.int8)

    def _query(self, row: int, kind: int, random: np.random.Generator) -> Ids:
        parts = self._pairs.parts
        doc, name = parts["doc"][row], parts["name"][row]
        if kind == 1 and len(doc) > _PHRASE_TOKENS[0]:
            length = int(random.integers(_PHRASE_TOKENS[0], min(_PHRASE_TOKENS[1], len(doc)) + 1))
            start = int(random.integers(0, len(doc) - length + 1))
            doc = doc[start : start + length]
        if kind == 3:
            name = np.concatenate([self._file_name(row), name])
        if kind < 2 and self._synonym_data is not None and random.random() < self._variation.reworded:
            doc = self._synonym_data.replace_with_synonyms(doc, self._variation.synonyms, random)
        selected = name if kind >= 2 else self._drop_tokens(doc, self._variation.token_dropout, random)
        return np.concatenate([self._query_prefix, selected])[: self._config.max_query_tokens]

    def _file_name(self, row: int) -> Ids:
        """Without its ending, which is the path's last token."""
        path = self._pairs.parts["path"][row]
        return path[len(path) - min(int(self._pairs.path_parts[row]), len(path)) : max(len(path) - 1, 0)]

    def _passage(self, row: int, random: np.random.Generator) -> Ids:
        parts, variation = self._pairs.parts, self._variation
        path, name, body = parts["path"][row], parts["name"][row], parts["body"][row]
        chance = random.random(5)
        pieces = [self._passage_prefix]
        if chance[0] >= variation.no_path:
            least = int(self._pairs.path_parts[row])
            kept = least + int(chance[1] * (len(path) - least + 1))
            pieces.append(path[len(path) - min(kept, len(path)) :])
        if chance[2] >= variation.no_name:
            pieces.append(name)
        if chance[3] < variation.doc_in_passage:
            pieces.append(self._drop_tokens(parts["doc"][row], 0.5, random))
        if chance[4] < variation.later_start and len(body) > MIN_BODY_TOKENS:
            body = body[int(random.integers(0, len(body) - MIN_BODY_TOKENS)) :]
        pieces.append(self._drop_tokens(body, variation.token_dropout, random))
        return np.concatenate(pieces)[: self._config.max_passage_tokens]

    @staticmethod
    def _drop_tokens(ids: Ids, share: float, random: np.random.Generator) -> Ids:
        if share <= 0:
            return ids
        kept = ids[random.random(len(ids)) >= share]
        return kept if len(kept) else ids

    def _ignored(self, rows: Rows, kinds: NDArray[np.int8]) -> Bools:
        parts = self._pairs.parts
        docs = equal([parts["doc"][int(row)].tobytes() for row in rows])
        bodies = equal([parts["body"][int(row)][:_BODY_KEY_TOKENS].tobytes() for row in rows])
        names = equal([parts["name"][int(row)].tobytes() for row in rows])
        ignored: Bools = docs | bodies | (names & (kinds >= 2)[:, None])
        np.fill_diagonal(ignored, False)
        return ignored

    def evaluation(self, rows: Rows, part: str) -> list[Ids]:
        """Docs as queries, or full passages (whole path, name, no doc), for validation."""
        parts, config = self._pairs.parts, self._config
        if part == "query":
            docs = (parts["doc"][int(row)] for row in rows)
            return [np.concatenate([self._query_prefix, doc])[: config.max_query_tokens] for doc in docs]
        passages = ([self._passage_prefix, *(parts[p][int(row)] for p in ("path", "name", "body"))] for row in rows)
        return [np.concatenate(passage)[: config.max_passage_tokens] for passage in passages]


def equal(keys: list[bytes]) -> Bools:
    _, numbers = np.unique(np.array(keys, dtype=object), return_inverse=True)
    same: Bools = numbers[:, None] == numbers[None, :]
    return same


def _group_rows(groups: NDArray[np.int16] | NDArray[np.int32], rows: Rows) -> list[Rows]:
    """The rows of each group, in their order."""
    sorted_rows = rows[np.argsort(groups[rows], kind="stable")]
    boundaries = np.flatnonzero(np.diff(groups[sorted_rows])) + 1
    return list(np.split(sorted_rows, boundaries)) if len(rows) else []


def _package_runs(packages: NDArray[np.int32], rows: Rows, random: np.random.Generator) -> Rows:
    """Runs of one package's rows, the runs in any order."""
    runs = [own[i : i + PACKAGE_RUN] for own in _group_rows(packages, rows) for i in range(0, len(own), PACKAGE_RUN)]
    return np.concatenate([runs[i] for i in random.permutation(len(runs))]) if runs else rows
