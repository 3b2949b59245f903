"""The second stage: chunks that have no vector yet get one, in batches, each committed before the next is begun.

A killed run loses one batch; the next one asks for what is missing and goes on. Passages that are the same are
embedded once. A batch is as long as the encoder takes about a second for: a cancel is heard, and what is shown goes on,
whether that embeds ten passages a second or ten thousand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import passage
from retrieval.encoders import Encoder, StoppableEncoder, Vectors
from retrieval.errors import CancelledError, EncoderError
from retrieval.indexing.cancel import Cancel
from retrieval.indexing.context import OnVectors, Progress
from retrieval.indexing.fetching import FetchStage
from retrieval.store import Pending, Store

# The longest batch: enough for an encoder to sort by length.
BATCH = 512
FIRST = 32  # the encoder's speed is not known yet
QUICK, SLOW = 0.5, 1.5  # seconds that a batch should take at least and at most


@dataclass(slots=True)
class EmbeddingStats:
    """What the stage did: passages sent through the encoder, chunks that got a vector, new chunks that had one."""

    passages: int = 0
    chunks: int = 0
    reused: int = 0
    cancelled: bool = False
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingContext:
    """What the stage works with. `buffer_vectors`: vectors of this encoder by passage, that were made for unsaved text."""

    store: Store
    encoder: Encoder
    buffer_vectors: Mapping[bytes, NDArray[np.float32]]
    on_vectors: OnVectors
    cancel: Cancel
    fetching: FetchStage


class BatchSizer:
    """How many chunks are the next batch."""

    def __init__(self) -> None:
        self.chunks = min(FIRST, BATCH)
        self._began = time.perf_counter()

    def begin(self) -> int:
        self._began = time.perf_counter()
        return self.chunks

    def end(self) -> None:
        """The batch that was begun is done."""
        took = time.perf_counter() - self._began
        if took < QUICK:
            self.chunks = min(2 * self.chunks, BATCH)
        elif took > SLOW:
            self.chunks = max(1, self.chunks // 2)


def embed_pending(
    work: EmbeddingContext, done: EmbeddingStats, *, after: int, first_new: int, progress: Progress
) -> None:
    """Embed every chunk beyond the id `after` that lacks a vector. `done`: what was done ahead in this run,
    `first_new`: the last id before this run."""
    store, fingerprint, fetching = work.store, work.encoder.fingerprint, work.fetching
    ahead = done.chunks + fetching.chunks
    if store.chunks.last_id() > first_new:
        done.reused += max(0, store.vectors.count(fingerprint, after=first_new) - ahead)
    if ahead:
        _announce(work)
    total = ahead + store.vectors.pending_count(fingerprint, after=after)
    if total > ahead:
        progress("vectors", ahead, total)
    sizer = BatchSizer()
    while done.chunks + fetching.chunks < total:
        if work.cancel.is_set():
            done.cancelled = True
            break
        try:
            batch = next_batch(work, sizer.begin(), after, store.announce)
            if not batch:
                break
            after = batch[-1].id
            ids, matrix = embed(work, batch, done)
        except CancelledError:
            done.cancelled = True
            break
        sizer.end()
        work.on_vectors(store.announce(), fingerprint, ids, matrix)
        progress("vectors", min(done.chunks + fetching.chunks, total), total)
    if total > ahead and not done.cancelled:
        progress("vectors", total, total)  # chunks that read the same get their vector together


def next_batch(work: EmbeddingContext, limit: int, after: int, revision: Callable[[], int]) -> list[Pending]:
    """The next chunks to embed: those whose vectors nobody else has. `revision` is what fetched vectors are announced by."""
    fingerprint = work.encoder.fingerprint
    batch = work.store.vectors.pending(fingerprint, limit, after=after)
    while batch and work.fetching.fetch(work.encoder, after=after, up_to=batch[-1].id, revision=revision):
        batch = work.store.vectors.pending(fingerprint, limit, after=after)
    return batch


def embed(work: EmbeddingContext, batch: Sequence[Pending], done: EmbeddingStats) -> tuple[NDArray[np.int64], Vectors]:
    """Embed and store a batch; its ids and rows as the store gives them back."""
    encoder, buffer_vectors = work.encoder, work.buffer_vectors
    texts = {pending.passage: passage(pending.chunk) for pending in batch}
    new = [key for key in texts if key not in buffer_vectors]
    made = checked(encoded(encoder, [texts[key] for key in new], work.cancel), len(new), encoder)
    vectors = dict(zip(new, made, strict=True))
    matrix = np.stack([vectors[key] if key in vectors else buffer_vectors[key] for key in texts])
    work.store.vectors.put(encoder.fingerprint, list(texts), matrix, name=encoder.name)
    done.passages += len(new)
    done.reused += len(texts) - len(new)
    done.chunks += len(batch)
    rows = {key: row for row, key in enumerate(texts)}
    order = [rows[pending.passage] for pending in batch]
    ids = np.array([pending.id for pending in batch], dtype=np.int64)
    return ids, matrix[order].astype(np.float16).astype(np.float32)


def encoded(encoder: Encoder, texts: list[str], cancel: Cancel) -> Vectors:
    """The vectors of passages; one that may have to wait looks at the cancel meanwhile. Raises CancelledError."""
    if isinstance(encoder, StoppableEncoder):
        return encoder.encode_passages_until(texts, cancel.is_set)
    return encoder.encode_passages(texts)


def _announce(work: EmbeddingContext) -> None:
    """Tell other processes of vectors that were stored without a word."""
    nothing = np.empty(0, np.int64), np.empty((0, work.encoder.dimension), np.float32)
    work.on_vectors(work.store.announce(), work.encoder.fingerprint, *nothing)


def checked(matrix: Vectors, rows: int, encoder: Encoder) -> Vectors:
    """The encoder's vectors, if they are what they must be. Raises EncoderError."""
    matrix = np.asarray(matrix, dtype=np.float32)
    if matrix.shape != (rows, encoder.dimension):
        raise EncoderError(
            f"Encoder {encoder.name} gave vectors of shape {matrix.shape} for {rows} passages; "
            f"({rows}, {encoder.dimension}) was expected."
        )
    if not np.isfinite(matrix).all():
        raise EncoderError(f"Encoder {encoder.name} gave vectors that are not numbers.")
    return matrix
