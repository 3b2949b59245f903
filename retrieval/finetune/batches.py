"""Batches of one repository's pairs, with augmentation: queries as people type them, passages as the index holds them.

Everything depends on the seed and the step alone, so that a resumed run sees the same batches. Texts are tokenized per batch, so
that any tokenizer works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from retrieval.model.config import C2LLMConfig
from retrieval.training.batches import TrainingBatch, equal
from retrieval.training.dataset import padded
from retrieval.training.extraction import Pair
from retrieval.training.mixture import tokens
from retrieval.training.pair_sources import words_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNDOCUMENTED_RATIO = 0.5  # functions without a comment for each one with; they are trained on by name


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Shares of the pairs of a batch that differ from comment -> path, name, body."""

    phrase: float = 0.25  # some words in a row of the comment
    name: float = 0.15  # the name in words
    file: float = 0.05  # file and name in words
    no_name: float = 0.25  # no scope and symbol line; always so where the name is asked for
    comment_in_passage: float = 0.15  # half of its words, as chunks hold it
    later_start: float = 0.25  # the body from somewhere in its middle
    dropped: float = 0.05  # of the tokens


class RepositoryBatches:
    """The batch source of a training run."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizer: Tokenizer,
        config: C2LLMConfig,
        *,
        size: int,
        seed: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        self._tokenizer, self._config, self._seed = tokenizer, config, seed
        self._augmentation = augmentation or Augmentation()
        self._documented = [pair for pair in pairs if pair.doc]
        self._undocumented = [pair for pair in pairs if not pair.doc]
        self._epoch_size = len(self._documented) + min(
            len(self._undocumented), int(UNDOCUMENTED_RATIO * len(self._documented))
        )
        self._size = min(size, self._epoch_size)
        self.per_epoch = max(1, self._epoch_size // max(self._size, 1))

    def batch(self, step: int) -> TrainingBatch:
        epoch, place = divmod(step, self.per_epoch)
        pairs = self._epoch(epoch)[place * self._size : (place + 1) * self._size]
        random = np.random.default_rng([self._seed, 1, step])
        augmented = [self._augment(pair, random) for pair in pairs]
        config = self._config
        queries = tokens(self._tokenizer, [q for q, _ in augmented], config.query_instruction, config.max_query_tokens)
        passages = tokens(
            self._tokenizer, [p for _, p in augmented], config.document_instruction, config.max_passage_tokens
        )
        same = equal([q.strip().lower().encode("utf-8", "replace") for q, _ in augmented])
        same |= equal([pair.body.encode("utf-8", "replace") for pair in pairs])
        np.fill_diagonal(same, False)
        kept = 1 - self._augmentation.dropped
        return TrainingBatch(
            *padded([row[random.random(len(row)) < kept] for row in queries]),
            *padded([row[random.random(len(row)) < kept] for row in passages]),
            ignored=same,
        )

    def _epoch(self, epoch: int) -> list[Pair]:
        random = np.random.default_rng([self._seed, 0, epoch])
        some = random.permutation(len(self._undocumented))[: self._epoch_size - len(self._documented)]
        pairs = [*self._documented, *(self._undocumented[int(i)] for i in some)]
        return [pairs[int(i)] for i in random.permutation(len(pairs))]

    def _augment(self, pair: Pair, random: np.random.Generator) -> tuple[str, str]:
        augmentation, draws = self._augmentation, random.random(5)
        kind = self._kind(draws[0]) if pair.doc else "name"
        query = _QUERIES[kind](pair, random)
        pieces = [pair.path]
        if kind in ("comment", "phrase") and draws[1] >= augmentation.no_name:
            pieces.append(pair.qualified)
        if pair.doc and kind != "comment" and draws[2] < augmentation.comment_in_passage:
            words = pair.doc.split()
            pieces.append(" ".join(word for word in words if random.random() < 0.5))
        body = pair.body.split("\n")
        if draws[3] < augmentation.later_start and len(body) > 6:
            body = body[int(draws[4] * len(body) / 2) :]
        return query, "\n".join([*pieces, *body])

    def _kind(self, draws: float) -> str:
        augmentation = self._augmentation
        for kind, share in (("phrase", augmentation.phrase), ("name", augmentation.name), ("file", augmentation.file)):
            if draws < share:
                return kind
            draws -= share
        return "comment"


def _whole(pair: Pair, _: np.random.Generator) -> str:
    return pair.doc


def _phrase(pair: Pair, random: np.random.Generator) -> str:
    words = pair.doc.split()
    length = int(random.integers(3, 9))
    start = int(random.integers(0, max(len(words) - length, 0) + 1))
    return " ".join(words[start : start + length])


def _name(pair: Pair, _: np.random.Generator) -> str:
    return " ".join(words_of(pair.qualified))


def _file(pair: Pair, _: np.random.Generator) -> str:
    return (
        f"{' '.join(words_of(PurePosixPath(pair.path).stem))} {' '.join(words_of(pair.qualified.rpartition('.')[2]))}"
    )


_QUERIES: dict[str, Callable[[Pair, np.random.Generator], str]] = {
    "comment": _whole,
    "phrase": _phrase,
    "name": _name,
    "file": _file,
}
