"""The live indexes of a workspace: one for each encoder whose vectors are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder
from retrieval.errors import StoreError
from retrieval.indexing import VectorIndexSync
from retrieval.store import Applied, Store


class VectorIndexes:
    """What is committed reaches all of them; each takes the vectors that are its own. Safe to use from many threads."""

    def __init__(self, *, threads: int | None, cache_dir: Path | None, is_writer: Callable[[], bool]) -> None:
        """`is_writer` says whether this process is writing."""
        self._threads, self._cache_dir, self._is_writer = threads or 1, cache_dir, is_writer
        self._by_fingerprint: dict[str, VectorIndexSync] = {}
        self._making = threading.Lock()

    def of(self, encoder: Encoder, store: Store) -> VectorIndexSync:
        with self._making:
            live = self._by_fingerprint.get(encoder.fingerprint)
            if live is None or live.store is not store:  # that one was damaged
                live = self._by_fingerprint[encoder.fingerprint] = VectorIndexSync(
                    store,
                    encoder.fingerprint,
                    encoder.dimension,
                    threads=self._threads,
                    cache_dir=self._cache_dir,
                    is_writer=self._is_writer,
                )
            return live

    def loaded(self, fingerprint: str) -> VectorIndexSync | None:
        """The one that is there already."""
        return self._by_fingerprint.get(fingerprint)

    def prepare(self, *, compare: bool) -> None:
        """Bring them up to what is stored, before more is; with `compare` also where no commit tells of it."""
        for live in self._all():
            live.prepare(compare=compare)

    def trust(self) -> None:
        """The same where a store that cannot be read is the next question's business."""
        for live in self._all():
            with suppress(StoreError):
                live.prepare()

    def take_over(self) -> None:
        """Use what another process has made of them. Raises StoreError."""
        for live in self._all():
            live.take_over()

    def follow(self, applied: Applied) -> None:
        for live in self._all():
            live.follow(applied.revision, applied.added, applied.removed)

    def add(self, revision: int, fingerprint: str, ids: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        for live in self._all():
            if live.fingerprint == fingerprint:
                live.add(revision, ids, matrix)
            else:
                live.follow(revision, (), ())

    def forget(self) -> None:
        """Make them anew when they are asked for."""
        self._by_fingerprint.clear()

    def save(self) -> None:
        for live in self._all():
            live.save()

    def _all(self) -> tuple[VectorIndexSync, ...]:
        return tuple(self._by_fingerprint.values())
