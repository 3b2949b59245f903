"""The batches of a training run: which pairs stand together, and which variant each of them shows.

Both depend on the seed, the epoch and the step alone: a resumed run sees the same batches.

Negatives are the other passages of the batch, so that what stands together decides how hard the task is. Search happens inside one
project: most of its distractors share its words. Part of the batches is therefore made of runs of one package, part is of one
language, part mixes everything. Passages that answer a query as well as its own (same doc, same body, same name or file
where that is the query) are no negatives.
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
PACKAGE_RUN = 32  # pairs of one package that stand together
KEPT_OF_AN_EPOCH = 0.9  # batches differ a little in number from epoch to epoch: each is cut to this many
_LEAST_BODY = 24  # tokens left where a body begins somewhere in its middle
_SPAN = (4, 12)  # tokens of a doc that is cut to a phrase
_BODY_KEY = 48  # tokens by which bodies are the same


@dataclass(frozen=True, slots=True)
class Variation:
    """Shares (0..1) of the batches and of the pairs in them that are shown in another way than doc -> path, name, body."""

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
    """Padded ids and masks (1 = real), right-padded; query i belongs to passage i, passages beyond are negatives.

    `ignored` (queries, passages): no negatives. `teacher` (queries, passages): similarities to learn from, NaN where none is
    known.
    """

    query_ids: NDArray[np.int64]
    query_mask: NDArray[np.int64]
    passage_ids: NDArray[np.int64]
    passage_mask: NDArray[np.int64]
    ignored: Bools | None = None
    teacher: NDArray[np.float32] | None = None
    task: str = ""


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
        self._shown = variation or Variation()
        self._english = self._shown.english
        self._query_prefix, self._passage_prefix = instructions(tokenizer, config)
        self._order: tuple[int, list[Rows]] | None = None
        self.per_epoch = max(1, int(len(pairs) / size * KEPT_OF_AN_EPOCH))

    def batch(self, step: int) -> TrainingBatch:
        """The batch of that step of the run, computed from the step alone."""
        epoch, place = divmod(step, self.per_epoch)
        chosen = self.epoch(epoch)
        rows = chosen[place % len(chosen)]
        random = np.random.default_rng([self._seed, 1, step])
        kinds = self._query_kinds(rows, random)
        queries = [self._query(int(row), kind, random) for row, kind in zip(rows, kinds, strict=True)]
        passages = [self._passage(int(row), random) for row in rows]
        ignored = self._ignored(rows, kinds)
        return TrainingBatch(*padded(queries), *padded(passages), ignored, self._similar(rows, ignored))

    def _similar(self, rows: Rows, ignored: Bools) -> NDArray[np.float32] | None:
        if self._english is None:
            return None
        similar = self._english.similarities(rows)
        similar[ignored] = np.nan
        return similar

    def epoch(self, epoch: int) -> list[Rows]:
        """The rows of each of its batches."""
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, self._arranged(np.random.default_rng([self._seed, 0, epoch])))
        return self._order[1]

    def _arranged(self, random: np.random.Generator) -> list[Rows]:
        rows = random.permutation(len(self._pairs))
        mixed, by_package = (
            int(len(rows) * share) for share in (self._shown.mixed_batches, self._shown.package_batches)
        )
        batches = self._cut(rows[:mixed])
        for language_rows in _by(self._pairs.languages, rows[mixed : mixed + by_package]):
            batches += self._cut(_in_runs(self._pairs.packages, language_rows, random))
        for language_rows in _by(self._pairs.languages, rows[mixed + by_package :]):
            batches += self._cut(language_rows)
        return [batches[i] for i in random.permutation(len(batches))][: self.per_epoch]

    def _cut(self, rows: Rows) -> list[Rows]:
        parts = [rows[i : i + self._size] for i in range(0, len(rows), self._size)]
        return [part for part in parts if len(part) >= max(1, min(self._size, len(self._pairs)) // 4)]

    def _query_kinds(self, rows: Rows, random: np.random.Generator) -> NDArray[np.int8]:
        """0 doc, 1 part of it, 2 name, 3 file and name."""
        shown = self._shown
        borders = np.cumsum([shown.name_queries, shown.file_queries, shown.phrase_queries])
        kinds = np.array([2, 3, 1, 0], dtype=np.int8)[np.searchsorted(borders, random.random(len(rows)), side="right")]
        lengths = np.array([len(self._pairs.parts["name"][int(row)]) for row in rows])
        return np.where((kinds == 2) & (lengths < 2), 0, kinds).astype(np.int8)

    def _query(self, row: int, kind: int, random: np.random.Generator) -> Ids:
        parts = self._pairs.parts
        doc, name = parts["doc"][row], parts["name"][row]
        if kind == 1 and len(doc) > _SPAN[0]:
            length = int(random.integers(_SPAN[0], min(_SPAN[1], len(doc)) + 1))
            start = int(random.integers(0, len(doc) - length + 1))
            doc = doc[start : start + length]
        if kind == 3:
            name = np.concatenate([self._file_name(row), name])
        if kind < 2 and self._english is not None and random.random() < self._shown.reworded:
            doc = self._english.reworded(doc, self._shown.synonyms, random)
        chosen = name if kind >= 2 else self._thinned(doc, self._shown.token_dropout, random)
        return np.concatenate([self._query_prefix, chosen])[: self._config.max_query_tokens]

    def _file_name(self, row: int) -> Ids:
        """Without its ending, which is the path's last token."""
        path = self._pairs.parts["path"][row]
        return path[len(path) - min(int(self._pairs.path_parts[row]), len(path)) : max(len(path) - 1, 0)]

    def _passage(self, row: int, random: np.random.Generator) -> Ids:
        parts, shown = self._pairs.parts, self._shown
        path, name, body = parts["path"][row], parts["name"][row], parts["body"][row]
        chance = random.random(5)
        pieces = [self._passage_prefix]
        if chance[0] >= shown.no_path:
            least = int(self._pairs.path_parts[row])
            kept = least + int(chance[1] * (len(path) - least + 1))
            pieces.append(path[len(path) - min(kept, len(path)) :])
        if chance[2] >= shown.no_name:
            pieces.append(name)
        if chance[3] < shown.doc_in_passage:
            pieces.append(self._thinned(parts["doc"][row], 0.5, random))
        if chance[4] < shown.later_start and len(body) > _LEAST_BODY:
            body = body[int(random.integers(0, len(body) - _LEAST_BODY)) :]
        pieces.append(self._thinned(body, shown.token_dropout, random))
        return np.concatenate(pieces)[: self._config.max_passage_tokens]

    @staticmethod
    def _thinned(ids: Ids, share: float, random: np.random.Generator) -> Ids:
        if share <= 0:
            return ids
        kept = ids[random.random(len(ids)) >= share]
        return kept if len(kept) else ids

    def _ignored(self, rows: Rows, kinds: NDArray[np.int8]) -> Bools:
        parts = self._pairs.parts
        docs = equal([parts["doc"][int(row)].tobytes() for row in rows])
        bodies = equal([parts["body"][int(row)][:_BODY_KEY].tobytes() for row in rows])
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


def _by(groups: NDArray[np.int16] | NDArray[np.int32], rows: Rows) -> list[Rows]:
    """The rows of each group, in their order."""
    sorted_rows = rows[np.argsort(groups[rows], kind="stable")]
    borders = np.flatnonzero(np.diff(groups[sorted_rows])) + 1
    return list(np.split(sorted_rows, borders)) if len(rows) else []


def _in_runs(packages: NDArray[np.int32], rows: Rows, random: np.random.Generator) -> Rows:
    """Runs of one package's rows, the runs in any order."""
    runs = [own[i : i + PACKAGE_RUN] for own in _by(packages, rows) for i in range(0, len(own), PACKAGE_RUN)]
    return np.concatenate([runs[i] for i in random.permutation(len(runs))]) if runs else rows
