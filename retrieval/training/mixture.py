"""Batches from a mixture of tasks: each batch has one task, so that in-batch negatives fit it.

An epoch holds each task's examples `weight` times, its batches in any order. Like in batches.py, everything depends on the seed
and the step alone. Texts are tokenized when a batch is made: 512 short ones take 20 ms, and any tokenizer will do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.model.config import C2LLMConfig
from retrieval.training.batches import Bools, Rows, TrainingBatch, equal
from retrieval.training.dataset import padded
from retrieval.training.forward import Validation
from retrieval.training.tasks import DataError, Example, Task

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
HARD_NEGATIVES = 1  # of the mined ones, used for each query
MAX_CHARS_PER_TOKEN = 24  # longer texts are truncated before tokenization

Encode = Callable[[Sequence[str]], Vectors]


class Teacher:
    """Similarities by another encoder, without our instructions."""

    def __init__(self, queries: Encode, passages: Encode) -> None:
        self._queries, self._passages = queries, passages

    def similarities(self, queries: Sequence[str], passages: Sequence[str]) -> Vectors:
        found: Vectors = self._queries(queries) @ self._passages(passages).T
        return found.astype(np.float32)


class Mixture:
    def __init__(
        self,
        tasks: Sequence[Task],
        tokenizer: Tokenizer,
        config: C2LLMConfig,
        *,
        size: int,
        seed: int,
        teacher: Teacher | None = None,
    ) -> None:
        self._tasks, self._tokenizer, self._config = tasks, tokenizer, config
        self._size, self._seed, self._teacher = size, seed, teacher
        self._order: tuple[int, list[tuple[int, Rows]]] | None = None
        self.per_epoch = len(self._arrange(0))
        if not self.per_epoch:
            raise DataError("No task has two examples to train on, or all weights are 0.")

    def batch(self, step: int) -> TrainingBatch:
        epoch, index = divmod(step, self.per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, self._arrange(epoch))
        number, rows = self._order[1][index]
        task = self._tasks[number]
        examples = [task.examples[int(row)] for row in rows]
        random = np.random.default_rng([self._seed, 1, step])
        queries = [example.query for example in examples]
        passages = [example.positive for example in examples] + _negatives(examples, random)
        return TrainingBatch(
            *padded(tokens(self._tokenizer, queries, task.query_instruction, self._config.max_query_tokens)),
            *padded(tokens(self._tokenizer, passages, task.document_instruction, self._config.max_passage_tokens)),
            ignored=_ignored(queries, passages),
            teacher=self._teacher.similarities(queries, passages) if self._teacher else None,
            task=task.name,
        )

    def _arrange(self, epoch: int) -> list[tuple[int, Rows]]:
        random = np.random.default_rng([self._seed, 0, epoch])
        batches: list[tuple[int, Rows]] = []
        for number, task in enumerate(self._tasks):
            count = len(task.examples)
            count_wanted = round(task.weight * count)
            rounds = [random.permutation(count) for _ in range(-(-count_wanted // count))] if count else []
            for rows in _split(rounds, count_wanted, self._size):
                batches.append((number, rows))
        return [batches[i] for i in random.permutation(len(batches))]

    def validations(self) -> dict[str, Validation]:
        """The held-out examples of each task."""
        found = {}
        for task in self._tasks:
            if task.held_out:
                queries = tokens(
                    self._tokenizer,
                    [example.query for example in task.held_out],
                    task.query_instruction,
                    self._config.max_query_tokens,
                )
                passages = tokens(
                    self._tokenizer,
                    [example.positive for example in task.held_out],
                    task.document_instruction,
                    self._config.max_passage_tokens,
                )
                found[task.name] = Validation(queries, passages)
        return found


def tokens(tokenizer: Tokenizer, texts: Sequence[str], instruction: str, limit: int) -> list[NDArray[np.int64]]:
    """Ids of each text after its instruction; a text without any gets one unknown token."""
    unknown = [tokenizer.token_to_id("[UNK]") or 0]
    cut = [instruction + text[: limit * MAX_CHARS_PER_TOKEN].encode("utf-8", "replace").decode() for text in texts]
    encoded = tokenizer.encode_batch_fast(cut, add_special_tokens=False)
    return [np.array(e.ids[:limit] or unknown, dtype=np.int64) for e in encoded]


def _split(rounds: list[Rows], count_wanted: int, size: int) -> list[Rows]:
    """Split each round into batches, so that none holds an example twice. Batches of one have no negatives and are dropped."""
    batches = []
    for i, rows in enumerate(rounds):
        some = rows[: count_wanted - i * len(rows)]
        parts = [some[start : start + size] for start in range(0, len(some), size)]
        batches += [part for part in parts if len(part) >= max(2, min(size, len(some)) // 4)]
    return batches


def _negatives(examples: Sequence[Example], random: np.random.Generator) -> list[str]:
    chosen = []
    for example in examples:
        indices = random.permutation(len(example.negatives))[:HARD_NEGATIVES]
        chosen += [example.negatives[int(index)] for index in indices]
    return chosen


def _ignored(queries: Sequence[str], passages: Sequence[str]) -> Bools:
    """False negatives: passages equal to the positive of the query, or of an equal query."""
    count = len(queries)
    same_query = equal([query.strip().encode() for query in queries])
    answers = equal([passage.strip().encode() for passage in passages])
    ignored: Bools = (same_query.astype(np.int32) @ answers[:count].astype(np.int32)) > 0
    ignored[np.arange(count), np.arange(count)] = False
    return ignored
