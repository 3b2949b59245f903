"""Answers queries from one snapshot of the index: search, similar code, explanations, near-duplicates, and the status."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import passage
from retrieval.encoders import Encoder
from retrieval.engine.context import EngineContext
from retrieval.engine.explain import chunk_at
from retrieval.engine.explain import explain as explain_location
from retrieval.engine.index_state import Status
from retrieval.engine.left_out import is_weak, left_out_note
from retrieval.engine.requests import normalize_search, normalize_similar
from retrieval.engine.unmatched_filters import explained
from retrieval.errors import CancelledError, EncoderError, ModelError
from retrieval.indexing import Cancel, OverlaidIndex, OverlaidRows
from retrieval.search import LineVectors, SearchResult, Snapshot
from retrieval.search import search as search_index
from retrieval.search import similar as search_similar
from retrieval.search.duplicates import CachedDuplicates
from retrieval.search.duplicates import near_duplicates as duplicates_in
from retrieval.search.enclosing import enclosing_rows
from retrieval.store import passage_hash
from retrieval.types import Answer, Chunk, Duplicate, Explanation, Freshness, SearchRequest, SimilarRequest
from retrieval.vectors import ExactIndex, VectorIndex

# The near-duplicates of so many files are kept.
DUPLICATE_FILES = 200

Ask = Callable[[Snapshot], SearchResult]


class QueryEngine:
    """Safe to use from many threads."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._line_vectors = LineVectors()
        self._duplicates: dict[str, CachedDuplicates] = {}  # by path, the last asked for at the end

    def search(self, request: SearchRequest, cancel: Cancel | None = None) -> Answer:
        """See Workspace.search."""
        written, root, check = request.filters, self._context.root, cancel_check(cancel)
        languages = self._context.store.chunks.language_counts
        request = normalize_search(request, root)

        def ask(snapshot: Snapshot) -> SearchResult:
            filters, notes = self._context.scopes.resolve(request.filters)
            inside = replace(request, filters=filters)
            result = search_index(snapshot, inside, check=check, line_vectors=self._line_vectors)
            return SearchResult(result.hits, notes) if notes else explained(result, snapshot, written, root, languages)

        return self._answer(ask, request.query)

    def similar(self, request: SimilarRequest) -> Answer:
        """See Workspace.similar."""
        request = normalize_similar(request, self._context.root)
        first, last = request.first_line, request.last_line

        def ask(snapshot: Snapshot) -> SearchResult:
            chunks = snapshot.rows.file_chunks(request.path)
            code, lines = request.text, (first, last)
            if not code:
                chunk = chunk_at(request.path, first, [chunk for _, chunk in chunks])
                code, lines = passage(chunk), (chunk.start_line, chunk.end_line)
            own = enclosing_rows(chunks, *lines)
            filters, notes = self._context.scopes.resolve(request.filters)
            return SearchResult(search_similar(snapshot, code, request.limit, filters, own, request.path), notes)

        return self._answer(ask)

    def code_at(self, path: str, line: int) -> str:
        """See Workspace.code_at."""
        chunks = self._context.stores.read(lambda: self._rows().file_chunks(path))
        return passage(chunk_at(path, line, [chunk for _, chunk in chunks]))

    def explain(self, path: str, line: int, query: str = "") -> Explanation:
        """See Workspace.explain."""

        def ask() -> Explanation:
            return explain_location(Snapshot(self._rows()), self._context.encoder, path, line, query)

        explanation = self._context.stores.read(ask)
        return replace(explanation, freshness=self.freshness())

    def near_duplicates(self, path: str, check: Callable[[], None]) -> tuple[Duplicate, ...]:
        """See Workspace.near_duplicates."""

        def ask() -> tuple[Duplicate, ...]:
            revision, earlier = self._context.store.revision, self._duplicates.pop(path, CachedDuplicates())
            others = earlier.others if earlier.revision == revision else {}
            duplicates, others = duplicates_in(self.snapshot()[0], path, self._vectors_of, check, others)
            self._duplicates[path] = CachedDuplicates(revision, others)
            for old in list(self._duplicates)[:-DUPLICATE_FILES]:
                self._duplicates.pop(old, None)
            return duplicates

        return self._context.stores.read(ask)

    def snapshot(self) -> tuple[Snapshot, tuple[str, ...]]:
        """What a query is answered from now, and what should be said about it."""
        return self._context.stores.read(lambda: self._snapshot_of(self._rows()))

    def freshness(self) -> Freshness:
        """See Workspace.freshness."""
        try:
            fingerprint = self._context.encoder.fingerprint
        except ModelError:
            fingerprint = ""
        return self._context.stores.read(lambda: self._context.freshness(fingerprint))

    def status(self) -> Status:
        """See Workspace.status."""
        return self._context.stores.read(self._status)

    def _rows(self) -> OverlaidRows:
        return self._context.overlay.snapshot(self._context.store)

    def _answer(self, ask: Ask, query: str = "") -> Answer:
        return self._context.stores.read(lambda: self._answer_once(ask, query))

    def _answer_once(self, ask: Ask, query: str) -> Answer:
        context, started = self._context, time.perf_counter()
        rows, snapshot, result, notes = context.from_one_revision(lambda rows: (rows, *self._result(ask, rows)))
        if (
            query
            and (result.notes or is_weak(result.hits))
            and (note := left_out_note(rows.store, query, bool(result.hits)))
        ):
            notes = (*notes, note)
        return Answer(
            hits=result.hits,
            freshness=context.freshness(context.loaded_fingerprint),
            encoder=snapshot.encoder.name if snapshot.encoder is not None else "",
            seconds=time.perf_counter() - started,
            notes=tuple(dict.fromkeys((*context.stores.notes, *notes, *result.notes))),
        )

    def _result(self, ask: Ask, rows: OverlaidRows) -> tuple[Snapshot, SearchResult, tuple[str, ...]]:
        """A snapshot of these rows, what is found in it, and notes; by words alone where the encoder fails."""
        snapshot, notes = self._snapshot_of(rows)
        try:
            return snapshot, ask(snapshot), notes
        except EncoderError as error:
            snapshot = Snapshot(rows)
            return snapshot, ask(snapshot), (*notes, f"Keyword results only: {error}")

    def _snapshot_of(self, rows: OverlaidRows) -> tuple[Snapshot, tuple[str, ...]]:
        """These rows with the encoder's vectors, with those of the last complete one while they are missing, or words
        alone.
        """
        context = self._context
        try:
            encoder = context.encoder
        except ModelError as error:
            return Snapshot(rows), (f"Keyword results only: {error}",)
        last = context.store.vectors.last_encoder()
        if (
            last is not None
            and last[1] != encoder.fingerprint
            and not context.store.vectors.complete(encoder.fingerprint)
        ):
            former = context.encoders.former(*last)
            if former is not None:
                note = f"Answered with the vectors of {former.name}; those of {encoder.name} are not complete yet."
                return with_vectors(rows, context.vector_index(former).current(), None, former), (note,)
        index = context.vector_index(encoder)
        buffers = rows.view.index if rows.view.fingerprint == encoder.fingerprint else None
        return with_vectors(rows, index.current(), buffers, encoder), index.notes

    def _vectors_of(self, encoder: Encoder, chunks: Sequence[Chunk]) -> list[NDArray[np.float32] | None]:
        """The vectors of chunks that are stored or shown; None for one that has none yet."""
        hashes = [passage_hash(passage(chunk)) for chunk in chunks]
        vectors: dict[bytes, NDArray[np.float32]] = self._context.store.vectors.of_passages(encoder.fingerprint, hashes)
        vectors = self._context.overlay.buffer_vectors(encoder.fingerprint) | vectors
        return [vectors.get(key) for key in hashes]

    def _status(self) -> Status:
        context, notes = self._context, self._context.stores.notes
        try:
            encoder = context.encoder
        except ModelError as error:
            return context.state.status(context.root, context.store, None, None, (*notes, str(error)))
        return context.state.status(context.root, context.store, encoder, context.vector_index(encoder), notes)


def cancel_check(cancel: Cancel | None) -> Callable[[], None]:
    """What a query calls between its stages."""

    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("Query cancelled.")

    return check


def with_vectors(rows: OverlaidRows, stored: VectorIndex, buffers: ExactIndex | None, encoder: Encoder) -> Snapshot:
    index = OverlaidIndex(stored, buffers, rows.hidden)
    return Snapshot(rows, index, encoder) if len(index) else Snapshot(rows)
