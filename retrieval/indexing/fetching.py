"""Before chunks are embedded, others are asked for their vectors: in bulk, by passage, each chunk once a run.

Whatever fails there is a note of the report, and the run asks no more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from retrieval.encoders import Encoder
from retrieval.errors import C2llmError, CancelledError
from retrieval.indexing.cancel import Cancel
from retrieval.indexing.context import OnVectors, VectorSource
from retrieval.store import Store

# Passages of one request: 65 kB of keys, 2 MB of answers at 256 dimensions.
BULK = 4096
# Fewer passages are embedded in the time in which a server is reached.
WORTH_ASKING = 16


class FetchStage:
    """One run's questions to a source. Used by one thread at a time: the background embedder is done when the run goes on."""

    def __init__(self, source: VectorSource | None, store: Store, on_vectors: OnVectors, cancel: Cancel) -> None:
        self._source, self._store, self._on_vectors, self._cancel = source, store, on_vectors, cancel
        self._reached = 0  # all chunks up to this id were asked for
        self._asked = False
        self.chunks = 0  # that got a vector
        self.note = ""

    def fetch(self, encoder: Encoder, *, after: int, up_to: int, revision: Callable[[], int]) -> bool:
        """Ask for the chunks beyond `after` that lack a vector, until `up_to` is reached; whether any got one.

        Raises CancelledError, StoreError.
        """
        before = self.chunks
        while self._source is not None and self._reached < up_to and not self._cancel.is_set():
            rows = self._store.vectors.pending_passages(encoder.fingerprint, BULK, after=max(after, self._reached))
            if not rows:
                break
            self._reached = rows[-1][0]
            if len(rows) >= WORTH_ASKING or self._asked:
                self._take(self._source, encoder, rows, revision)
        return self.chunks > before

    def finish(self) -> None:
        """The run is over."""
        if self._source is not None:
            self._source.finish()

    def _take(
        self, source: VectorSource, encoder: Encoder, rows: list[tuple[int, bytes]], revision: Callable[[], int]
    ) -> None:
        fingerprint, keys = encoder.fingerprint, list(dict.fromkeys(passage for _, passage in rows))
        self._asked = True
        try:
            passages, matrix = source.fetch(fingerprint, encoder.dimension, keys, self._cancel.is_set)
        except CancelledError:
            raise
        except C2llmError as error:
            self._source, self.note = None, f"{error} What is missing is embedded here."
            source.finish()
            return
        if not passages:
            return
        self._store.vectors.put(fingerprint, passages, matrix, name=encoder.name)
        places = {passage: place for place, passage in enumerate(passages)}
        taken = [(chunk, places[passage]) for chunk, passage in rows if passage in places]
        self.chunks += len(taken)
        ids = np.array([chunk for chunk, _ in taken], dtype=np.int64)
        vectors = matrix[[place for _, place in taken]].astype(np.float16).astype(np.float32)  # as the store gives them
        self._on_vectors(revision(), fingerprint, ids, vectors)
