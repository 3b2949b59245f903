"""What the parts of one workspace share: its store, encoders, vector indexes, open buffers and state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from retrieval.encoders import Encoder
from retrieval.engine.encoder_selection import EncoderSelection
from retrieval.engine.index_state import IndexState
from retrieval.engine.listener import NullListener, WorkspaceListener
from retrieval.engine.opening import OpenedStore
from retrieval.engine.scopes import Scopes
from retrieval.engine.store_repair import ATTEMPTS, RepairableStore
from retrieval.engine.vector_indexes import VectorIndexes
from retrieval.files import Scanner
from retrieval.indexing import OverlaidRows, Overlay, VectorIndexSync
from retrieval.store import Store
from retrieval.types import Freshness

T = TypeVar("T")


class EngineContext:
    """Made once for each workspace; the index writer, the query engine and the open buffers work on it."""

    def __init__(
        self,
        scanner: Scanner,
        opened: OpenedStore,
        *,
        encoder: Encoder | None,
        load_encoder: Callable[[], Encoder] | None,
        cache_dir: Path | None,
        threads: int | None,
    ) -> None:
        self.root = scanner.root
        self.scanner = scanner
        self.listener: WorkspaceListener = NullListener()
        self.state = IndexState()
        self.overlay = Overlay(scanner)
        self.scopes = Scopes(self.root, lambda: self.store)
        self.vector_indexes = VectorIndexes(threads=threads, cache_dir=cache_dir, is_writer=lambda: self.state.writing)
        self.encoders = EncoderSelection(encoder, load_encoder, threads, on_change=self._encoder_changed)
        self.stores = RepairableStore(
            opened.store, opened.notes, on_replaced=self._forget_index, on_repaired=self._index_repaired
        )

    @property
    def store(self) -> Store:
        """The present store: a repair replaces it."""
        return self.stores.current

    @property
    def encoder(self) -> Encoder:
        """The encoder of this workspace. Raises ModelError."""
        return self.encoders.current

    def vector_index(self, encoder: Encoder) -> VectorIndexSync:
        return self.vector_indexes.of(encoder, self.store)

    def from_one_revision(self, ask: Callable[[OverlaidRows], T]) -> T:
        """What is read from the rows of one revision: a query that a commit has overtaken may have seen some of it, and is asked
        again. While everything is being written commits come all the time, and the answer says that it is stale.
        """
        for _ in range(ATTEMPTS - 1):
            rows = self.overlay.snapshot(self.store)
            answer = ask(rows)
            if rows.store.revision == rows.revision or self.state.delegated:
                return answer
        return ask(self.overlay.snapshot(self.store))

    def freshness(self, fingerprint: str) -> Freshness:
        """How current an answer by the vectors of this encoder is ("": by words alone), chunks of open buffers included."""
        stored = self.state.freshness(self.store, fingerprint, self.vector_indexes.loaded(fingerprint))
        return replace(stored, pending_chunks=stored.pending_chunks + self.overlay.waiting)

    @property
    def loaded_fingerprint(self) -> str:
        """That of the encoder, "" before it is loaded."""
        encoder = self.encoders.loaded
        return encoder.fingerprint if encoder is not None else ""

    def close(self) -> None:
        """Save what is worth it and release the files."""
        if not self.stores.closed:
            self.stores.closed = True
            self.vector_indexes.save()
            self.store.close()

    def _encoder_changed(self) -> None:
        self.listener.encoder_changed()  # the listener of that moment: it is set after the workspace is made

    def _index_repaired(self) -> None:
        self.listener.index_repaired()

    def _forget_index(self) -> None:
        self.vector_indexes.forget()
        self.state.reset()
