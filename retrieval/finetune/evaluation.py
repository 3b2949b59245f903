"""Evaluate an encoder on a repository's questions: NDCG@10 over all chunks, by vectors alone and by the full ranking.

The index is the workspace's own; held-out files are overlaid as open buffers without their comments, so that nothing is written and
everything else is what a search would see. The vectors of a candidate encoder are kept in memory.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import passage
from retrieval.encoders.protocol import Encoder, Vectors
from retrieval.evaluation.metrics import TOP, FileSpan, ndcg
from retrieval.files import Scanner
from retrieval.finetune.dataset import Question
from retrieval.indexing import OverlaidRows, Overlay
from retrieval.search import Snapshot, search
from retrieval.store import Store
from retrieval.types import SearchRequest
from retrieval.vectors import ExactIndex

RANKED, DENSE = "full", "dense"  # names of rankings
BATCH_SIZE = 512  # passages between two progress reports
SPEED_SAMPLE = 64  # passages that an encoder's speed is measured on
MAX_SECONDS = 90.0  # for the vectors of one encoder; a slow one is evaluated on fewer chunks

Progress = Callable[[int, int], None]
Gains = NDArray[np.float64]


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class Score:
    """The gains of one encoder, by question."""

    ranked: Gains
    dense: Gains

    def mean(self, chosen: NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Ranked and dense, of some of the questions or of all."""
        rows: Any = slice(None) if chosen is None else chosen
        return tuple(float(gains[rows].mean()) if len(gains[rows]) else math.nan for gains in (self.ranked, self.dense))  # type: ignore[return-value]


class RepositoryEvaluator:
    """Scores encoders on the same questions and chunks."""

    def __init__(
        self, store: Store, scanner: Scanner, hidden: Mapping[str, str], questions: Sequence[Question]
    ) -> None:
        store.full_text.keep_in_memory()  # or words would be counted as they stand in the files, hidden comments among them
        store.full_text.maintain()
        overlay = Overlay(scanner)
        for path, text in hidden.items():
            overlay.set_buffer(store, None, path, text)
        self.rows: OverlaidRows = overlay.snapshot(store)
        self.questions = tuple(questions)
        barred = set(self.rows.hidden.tolist())
        stored = [row for row in store.chunks.ids().tolist() if row not in barred]
        self._mine = sorted(self.rows.view.rows)
        self._ids = np.array([*self._mine, *stored], dtype=np.int64)
        self.chunks = len(self._ids)
        self._embedded: tuple[str, Vectors] | None = None  # fingerprint of the last encoder, and its vectors

    def limit(self, most: int) -> None:
        """Evaluate on at most so many chunks: those of held-out files and a fixed random sample of others."""
        if most < self.chunks:
            others = sorted(set(self._ids.tolist()) - set(self._mine))
            kept = random.Random(1).sample(others, max(0, most - len(self._mine)))
            self._ids = np.array(sorted([*self._mine, *kept]), dtype=np.int64)
            self._embedded = None

    @property
    def compared(self) -> int:
        """How many chunks are evaluated on."""
        return len(self._ids)

    def passages(self, count: int) -> list[str]:
        """A sample of the passages, to measure speed with."""
        some = random.Random(2).sample(self._ids.tolist(), min(count, len(self._ids)))
        return [passage(chunk) for chunk in self.rows.chunks(some).values()]

    def other_passages(self, count: int) -> list[str]:
        """A fixed random sample of passages that are not held out."""
        stored = [row for row in self._ids.tolist() if row >= 0]
        some = random.Random(3).sample(stored, min(count, len(stored)))
        return [passage(chunk) for chunk in self.rows.chunks(some).values()]

    def score(self, encoder: Encoder, progress: Progress = _silent) -> Score:
        """Raises EncoderError; whatever `progress` raises ends it."""
        total = len(self._ids) + len(self.questions)
        index = ExactIndex.of(self._ids, self._vectors(encoder, lambda done: progress(done, total)))
        snapshot = Snapshot(self.rows, index, encoder)
        ranked, dense = [], []
        for number, question in enumerate(self.questions):
            ranked.append(_gain(snapshot, question, RANKED))
            dense.append(_gain(snapshot, question, DENSE))
            progress(len(self._ids) + number + 1, total)
        return Score(np.array(ranked), np.array(dense))

    def _vectors(self, encoder: Encoder, progress: Callable[[int], None]) -> Vectors:
        """Rounded as the store rounds them. Two encoders of one fingerprint differ in their queries alone."""
        if self._embedded is not None and self._embedded[0] == encoder.fingerprint:
            return self._embedded[1]
        vectors = np.zeros((len(self._ids), encoder.dimension), dtype=np.float32)
        for start in range(0, len(self._ids), BATCH_SIZE):
            ids = self._ids[start : start + BATCH_SIZE].tolist()
            chunks = self.rows.chunks(ids)
            found = encoder.encode_passages([passage(chunks[i]) for i in ids])
            vectors[start : start + len(ids)] = found.astype(np.float16).astype(np.float32)
            progress(start + len(ids))
        self._embedded = (encoder.fingerprint, vectors)
        return vectors


def _gain(snapshot: Snapshot, question: Question, ranking: str) -> float:
    hits = search(snapshot, SearchRequest(question.text, limit=TOP, ranking=ranking)).hits
    return ndcg([FileSpan(hit.chunk.path, hit.start_line, hit.end_line) for hit in hits], question.targets)
