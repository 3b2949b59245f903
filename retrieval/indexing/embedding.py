"""The second stage: chunks that have no vector yet get one, in batches, each committed before the next is begun.

A killed run loses one batch; the next one asks for what is missing and goes on. Passages that are the same are
embedded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import passage
from retrieval.encoders import Encoder, Vectors
from retrieval.errors import EncoderError
from retrieval.indexing.words import Cancel, Progress
from retrieval.store import Pending, Store

# Large enough for the encoder to sort by length, small enough for a cancel to be heard within a second.
BATCH = 512

# change number, fingerprint, ids, rows
OnVectors = Callable[[int, str, NDArray[np.int64], Vectors], None]


@dataclass(slots=True)
class Embedded:
    """What the stage did: passages sent through the encoder, chunks that got a vector, new chunks that had one."""

    passages: int = 0
    chunks: int = 0
    reused: int = 0
    cancelled: bool = False


def embed_pending(
    store: Store,
    encoder: Encoder,
    *,
    after: int,
    first_new: int,
    at_hand: Mapping[bytes, NDArray[np.float32]],
    on_vectors: OnVectors,
    progress: Progress,
    cancel: Cancel,
) -> Embedded:
    """Embed every chunk beyond the id `after` that lacks a vector of this encoder. `first_new`: the last id before
    this run. `at_hand`: vectors of this encoder by passage, that were made for unsaved text.
    """
    done = Embedded()
    if store.last_id() > first_new:
        done.reused = store.vector_count(encoder.fingerprint, after=first_new)
    total = store.pending_count(encoder.fingerprint, after=after)
    if total:
        progress("vectors", 0, total)
    while not (done.cancelled or done.chunks >= total):
        if cancel.is_set():
            done.cancelled = True
            break
        batch = store.without_vectors(encoder.fingerprint, BATCH, after=after)
        if not batch:
            break
        after = batch[-1].id
        _embed(store, encoder, batch, at_hand, on_vectors, done)
        progress("vectors", min(done.chunks, total), total)
    return done


def _embed(
    store: Store,
    encoder: Encoder,
    batch: Sequence[Pending],
    at_hand: Mapping[bytes, NDArray[np.float32]],
    on_vectors: OnVectors,
    done: Embedded,
) -> None:
    texts = {pending.passage: passage(pending.chunk) for pending in batch}
    new = [key for key in texts if key not in at_hand]
    vectors = dict(
        zip(new, checked(encoder.encode_passages([texts[key] for key in new]), len(new), encoder), strict=True)
    )
    matrix = np.stack([vectors[key] if key in vectors else at_hand[key] for key in texts])
    store.put_vectors(encoder.fingerprint, list(texts), matrix, name=encoder.name)
    change = store.announce()
    rows = {key: row for row, key in enumerate(texts)}
    order = [rows[pending.passage] for pending in batch]
    # What the index holds is what the store gives back: rows in half precision.
    ids = np.array([pending.id for pending in batch], dtype=np.int64)
    on_vectors(change, encoder.fingerprint, ids, matrix[order].astype(np.float16).astype(np.float32))
    done.passages += len(new)
    done.reused += len(texts) - len(new)
    done.chunks += len(batch)


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
