"""The vector index of one encoder, kept in step with the store: loaded or made, followed, saved, rebuilt.

Which kind it is depends on the number of rows alone. Up to GRAPH_FROM every row is compared. Beyond, a graph is used
where a snapshot of one is there, and made in `maintain`, at a quiet moment; until then comparing every row answers
correctly, if slower. The store is the truth: what the index holds is compared with what the store holds whenever the
revision numbers differ. That takes 0.1 s at 50,000 rows, so while this process writes its own commits are followed
instead, and where another one does it is done a tenth of the time at most; `behind` tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.store import Store
from retrieval.vectors import ExactIndex, GraphStamp, HnswIndex, VectorIndex, hnsw_problem, load, save

# Below this many rows comparing all of them takes about a millisecond, and no graph needs to be loaded or saved.
GRAPH_FROM = 20_000
# A graph that another process made is taken in place of the rows at hand from here on: hnswlib holds the interpreter for
# 0.2 s at 100,000 rows to load it, while comparing 50,000 rows takes 3 ms longer than asking it. Whoever opens next has it.
WORTH_SWAPPING = 100_000
# Rows given to a growing graph between two looks at whether to go on.
PORTION = 2_048
# A snapshot is written at a quiet moment when so many rows came or went (half a second to catch up with), or after so
# long: a graph of 50,000 rows is a file of 70 MB, which nobody wants written after each save of a file.
SAVE_ROWS = 500
SAVE_SECONDS = 900.0
# Comparing with the store is repeated at once where it took less than this, else after ten times as long.
_QUICK_SECONDS = 0.02
_REST = 10

Ids = NDArray[np.int64]


class VectorIndexSync:
    """One encoder's vectors of one workspace."""

    def __init__(
        self,
        store: Store,
        fingerprint: str,
        dimension: int,
        *,
        threads: int = 1,
        cache_dir: Path | None = None,
        is_writer: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_writer` tells whether this process is writing, so that each commit comes by `follow` and `add`."""
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.notes: tuple[str, ...] = ()
        self.store = store
        self._threads = threads
        self._cache_dir = cache_dir
        self._lock = threading.RLock()  # one at a time brings the index up to date
        self._index: VectorIndex | None = None
        self._revision = -1  # of the store, that the index stands for
        self._saved = -1  # the revision that the snapshot stands for
        self._saved_at = time.monotonic()
        self._unsaved = 0  # rows that came or went since
        self._saving = threading.Lock()
        self._is_writer = is_writer
        self._graph_elsewhere = False  # a graph is on the disk, and the rows at hand are compared all the same
        self._gap = False  # whether a commit of this process was missed
        self._rested = 0.0  # when comparing is due again
        self.behind = False  # whether the index last answered without what another process had stored

    @property
    def kind(self) -> str:
        """ "exact", "hnsw", or "" before the first use."""
        return "" if self._index is None else "hnsw" if isinstance(self._index, HnswIndex) else "exact"

    @property
    def path(self) -> Path:
        prefix = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.fingerprint)[:24]
        return self.store.directory / f"graph-{prefix}.hnsw"

    def current(self) -> VectorIndex:
        """The index, holding what the store holds."""
        with self._lock:
            revision = self.store.revision
            if self._index is None:
                self._index = self._load(revision)
            if self._revision != revision and self._compares():
                started = time.monotonic()
                self._catch_up(self._index)
                self._revision, self._gap = revision, False
                took = time.monotonic() - started
                self._rested = started + took * _REST if took > _QUICK_SECONDS else 0.0
            self.behind = self._revision != revision and not self._is_writer()
            return self._index

    def prepare(self, *, compare: bool = False) -> None:
        """Bring what is loaded up to date before commits are followed. With `compare` whatever the revision says: a process
        that died may have stored vectors that it had not announced yet.
        """
        with self._lock:
            if self._index is not None:
                self._rested = 0.0
                if compare:
                    self._catch_up(self._index)
                self.current()

    def take_over(self) -> None:
        """Catch up with another process that has ended, and take the graph that it made. Questions go on meanwhile."""
        index = self._index
        if index is None:
            return
        self._graph_elsewhere = self.path.exists()
        loaded = None
        if (
            isinstance(index, ExactIndex)
            and len(index) >= WORTH_SWAPPING
            and self._graph_elsewhere
            and self._can_graph()
        ):
            loaded = load(self.path, self.fingerprint, self.store.meta.database_id, threads=self._threads)
        with self._lock:
            if loaded is not None:
                self._index, self._revision = loaded
                self._saved = self._revision
            self._rested = 0.0
            self.current()

    @property
    def count(self) -> int | None:
        """How many chunks have a vector here; None before the first use."""
        index = self._index
        return None if index is None else len(index)

    def follow(self, revision: int, added: Iterable[int], removed: Iterable[int]) -> None:
        """Take over a commit of this process: cheaper than comparing everything."""
        with self._lock:
            if self._index is None:
                return
            if self._revision != revision - 1:
                self._gap = self._gap or self._revision < revision  # something in between was not seen
                return
            gone, came = _array(removed), _array(added)
            self._unsaved += len(gone) + len(came)
            if len(gone):
                self._index.remove(gone)
            if len(came):
                self._index.add(*self.store.vectors.get(self.fingerprint, came))
            self._revision = revision

    def add(self, revision: int, ids: Ids, matrix: NDArray[np.float32]) -> None:
        """Take over vectors that this process has just stored."""
        with self._lock:
            if self._index is None:
                return
            self._index.add(ids, matrix)
            self._unsaved += len(ids)
            if self._revision == revision - 1:
                self._revision = revision

    def maintain(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        *,
        threads: int | None = None,
    ) -> bool:
        """Upkeep for a quiet moment: build the BM25 index and the graph where they are due, rebuild a graph that
        needs it, save both. `progress` is told how many rows a graph has, and will have.

        False where cancelled.
        """
        self.store.full_text.maintain()
        index = self.current()
        if len(index) < GRAPH_FROM:
            return True
        if isinstance(index, ExactIndex):
            if not self._can_graph() or (self._graph_elsewhere and len(index) < WORTH_SWAPPING):
                return True
            graph = self._grow(index, cancelled, progress, threads or self._threads)
            if graph is None:
                return False
            self._unsaved = SAVE_ROWS
        elif isinstance(index, HnswIndex) and index.needs_rebuild:
            index.threads = threads or self._threads
            if not index.rebuild(cancelled, progress):
                return False
            self._unsaved = SAVE_ROWS
        if self._unsaved >= SAVE_ROWS or time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self.save()
        return True

    def save(self) -> None:
        """Write the snapshot where there is a graph and it has changed. A disk without room keeps the old one."""
        with self._saving:
            with self._lock:
                index, revision = self._index, self._revision
                if not isinstance(index, HnswIndex) or self.store.read_only or self._saved == revision:
                    return
                stamp = GraphStamp(self.fingerprint, self.store.meta.database_id, revision)
                state, self._unsaved = index.state(), 0
            # After a loss of power the store may be back at an earlier revision and give the same ids to other chunks.
            self.store.checkpoint()
            self._saved_at = time.monotonic()
            with suppress(OSError):  # a cache: next time it is made again
                save(index, self.path, stamp, state=state)
                self._saved = revision

    def _load(self, revision: int) -> VectorIndex:
        if self.path.exists() and self._can_graph():
            loaded = load(self.path, self.fingerprint, self.store.meta.database_id, threads=self._threads)
            if loaded is not None:
                index, self._revision = loaded
                self._saved = self._revision
                return index
        exact = ExactIndex(self.dimension)
        exact.add(*self.store.vectors.all(self.fingerprint))
        self.store.check_complete(self.fingerprint, len(exact), revision)
        self._revision = revision
        return exact

    def _compares(self) -> bool:
        return self._gap if self._is_writer() else time.monotonic() >= self._rested

    def _catch_up(self, index: VectorIndex) -> None:
        """Make the index hold exactly the rows that have a vector."""
        revision = self.store.revision
        have, want = index.ids(), self.store.vectors.ids(self.fingerprint)
        self.store.check_complete(self.fingerprint, len(want), revision)
        gone = np.setdiff1d(have, want, assume_unique=True)
        if len(gone):
            index.remove(gone)
        came = np.setdiff1d(want, have, assume_unique=True)
        if len(came):
            index.add(*self.store.vectors.get(self.fingerprint, came))
        self._unsaved += len(gone) + len(came)

    def _grow(
        self, exact: ExactIndex, cancelled: Callable[[], bool], progress: Callable[[int, int], None], threads: int
    ) -> HnswIndex | None:
        """A graph of all rows, in place of the exact index, which answers meanwhile."""
        ids, rows = exact.frozen()
        graph = HnswIndex(self.dimension, threads=threads, capacity=len(ids))
        for start in range(0, len(ids), PORTION):
            if cancelled():
                return None
            progress(start, len(ids))
            graph.add(ids[start : start + PORTION], rows(start, start + PORTION))
        with self._lock:
            self._catch_up(graph)
            self._index, self._revision = graph, self.store.revision
        return graph

    def _can_graph(self) -> bool:
        problem = hnsw_problem(self._cache_dir)
        if problem:
            self.notes = (problem,)
        return not problem


def _array(ids: Iterable[int]) -> Ids:
    return np.fromiter(ids, dtype=np.int64)
