"""Nearest rows by a graph (hnswlib): 0.1 ms where comparing every row takes milliseconds.

hnswlib's traps, and what is done about each:
- add_items beside knn_query is unsafe: a readers-writer lock, and rows are added in portions so that queries get
  through.
- knn_query throws where it reaches fewer live rows than asked for: never more than the live rows are asked for, then
  fewer, then every row is compared. A query always has an answer.
- replacing deleted rows costs eight times a rebuild: rows are marked as deleted, and `rebuild` makes a new graph when
  `needs_rebuild` says that too many are.
- a row that is added while another thread is halfway through adding one is linked to what it could see by then, and in a
  graph of a few rows that is next to nothing: such rows were not found again. The first rows are added by one thread.
- the beam (ef) is forgotten when a graph is saved: it is set again after loading.
- get_items takes 75 us a row: a copy of the rows is kept in 16 bits, 50 MB at 100,000 rows, which serves filtered
  queries, the fallback and rebuilding.

A filtered query compares all allowed rows where those are few, and asks for more than the limit and filters otherwise.
hnswlib's own filter calls back into Python for every row that it looks at, under the interpreter's lock: slower than
either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.protocol import Ids, Matrix, fresh_rows, nothing, top_k
from retrieval.vectors.read_write_lock import ReadWriteLock

# Edges a row and layer, beam while building, beam while searching: recall@10 >= 0.98 on clustered rows with these.
EDGES = 16
BUILD_BEAM = 200
SEARCH_BEAM = 96
# Rows added per hold of the write lock: some 30 ms on one thread at 100,000 rows.
_PORTION = 128
# Until a graph has this many rows one thread adds them: under a second.
_FIRST_ROWS = 1_024
# Where fewer rows than this are allowed, comparing all of them beats asking the graph for more: about a millisecond.
FEW_ALLOWED = 3_000
# More rows than this are never asked of the graph.
_MOST_FETCHED = 2_000
# Deleted rows cost beam width and memory; beyond this share (and number) a rebuild is worth its seconds.
_DELETED_SHARE = 0.25
DELETED_ROWS = 1_000
# Room for rows grows by this factor; hnswlib copies everything when it grows.
_GROWTH = 1.3


class HnswIndex:
    """An approximate index over ids. Needs hnswlib; ask `hnsw_problem` first (see probe.py)."""

    def __init__(self, dimension: int, *, threads: int = 1, capacity: int = 1_024) -> None:
        self.dimension = dimension
        self.threads = threads
        self._lock = ReadWriteLock()
        self._changing = threading.Lock()  # one of add, remove, rebuild's last step at a time
        self._rebuilding = threading.Lock()
        self._rows = ExactIndex(dimension, half=True)
        self._graph = self._new_graph(capacity)

    # -- the index --------------------------------------------------------------------------------------------------

    def search(self, query: Matrix, limit: int, allowed: Ids | None = None) -> tuple[Ids, Matrix]:
        query = np.asarray(query, dtype=np.float32)
        if limit <= 0 or not len(self):
            return nothing()
        if allowed is None:
            return self._nearest(query, limit)
        live = self._rows.ids()
        allowed = np.asarray(allowed, dtype=np.int64)
        allowed = allowed[np.isin(allowed, live)]
        if not len(allowed):
            return nothing()
        fetch = int(4 * limit * len(live) / len(allowed)) + SEARCH_BEAM
        if len(allowed) > FEW_ALLOWED and fetch <= _MOST_FETCHED:
            ids, scores = self._nearest(query, fetch)
            passing = np.isin(ids, allowed)
            if int(passing.sum()) >= min(limit, len(allowed)):
                return ids[passing][:limit], scores[passing][:limit]
        return self._rows.search(query, limit, allowed)

    def cosines(self, query: Matrix, ids: Ids) -> Matrix:
        return self._rows.cosines(query, ids)

    def add(self, ids: Ids, matrix: Matrix) -> None:
        with self._changing:
            new, rows = fresh_rows(ids, matrix, self._rows.ids())
            for start in range(0, len(new), _PORTION):
                some, vectors = new[start : start + _PORTION], rows[start : start + _PORTION]
                with self._lock.write():
                    self._fill(self._graph, some, vectors)
                self._rows.add(some, vectors)

    def remove(self, ids: Ids) -> None:
        with self._changing:
            gone = np.intersect1d(np.asarray(ids, dtype=np.int64), self._rows.ids())
            self._rows.remove(gone)
            with self._lock.write():
                for row in gone.tolist():
                    self._graph.mark_deleted(row)

    def __len__(self) -> int:
        return len(self._rows)

    def ids(self) -> Ids:
        return self._rows.ids()

    # -- upkeep -----------------------------------------------------------------------------------------------------

    @property
    def needs_rebuild(self) -> bool:
        """Whether so many rows were deleted that a new graph is worth building."""
        deleted = int(self._graph.get_current_count()) - len(self)
        return deleted > DELETED_ROWS and deleted > _DELETED_SHARE * len(self)

    def rebuild(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> bool:
        """Rebuild the graph from its live rows. Queries go on meanwhile; changes made meanwhile are repeated at the end.
        `progress` is called with the number of rows added and the total.

        False if cancelled; the graph is then unchanged.
        """
        with self._rebuilding:
            then, rows = self._rows.frozen()
            graph = self._new_graph(len(then))
            for start in range(0, len(then), _REBUILD_PORTION):
                if cancelled():
                    return False
                progress(start, len(then))
                end = start + _REBUILD_PORTION
                self._fill(graph, then[start:end], rows(start, end))
            with self._changing:
                now = self._rows.ids()
                came = np.setdiff1d(now, then, assume_unique=True)
                self._fill(graph, came, self._rows.rows(came))
                for row in np.setdiff1d(then, now, assume_unique=True).tolist():
                    graph.mark_deleted(row)
                with self._lock.write():
                    self._graph = graph
        return True

    def state(self) -> tuple[dict[str, Any], Ids]:
        """What a snapshot holds: hnswlib's own state and the live ids, of the same moment."""
        with self._changing, self._lock.read():
            return dict(self._graph.__getstate__()[0]), self._rows.ids()

    @classmethod
    def from_state(cls, state: dict[str, Any], live: Ids, *, threads: int = 1) -> HnswIndex:
        """The index of a snapshot. Raises whatever hnswlib or NumPy raise for a state that they do not know."""
        import hnswlib

        index = cls(int(state["dim"]), threads=threads)
        index._graph = hnswlib.Index.__new__(hnswlib.Index)
        index._graph.__setstate__((state,))
        index._graph.set_ef(SEARCH_BEAM)
        index._graph.set_num_threads(threads)
        labels, rows = _rows_of(state)
        index._rows = ExactIndex.of(labels, rows)
        index._rows.remove(np.setdiff1d(labels, live))
        return index

    # -- inside -----------------------------------------------------------------------------------------------------

    def _nearest(self, query: Matrix, limit: int) -> tuple[Ids, Matrix]:
        """The nearest of all rows. knn_query's beam is the wider of ef and its k: half as many again are asked for."""
        with self._lock.read():
            live = len(self)
            for wanted in dict.fromkeys((min(limit + limit // 2, live), min(limit, live))):
                try:
                    labels, distances = self._graph.knn_query(query, k=wanted, num_threads=1)
                except RuntimeError:  # fewer than that could be reached
                    continue
                return top_k(labels[0].astype(np.int64), (1.0 - distances[0]).astype(np.float32), limit)
        return self._rows.search(query, limit)

    def _new_graph(self, capacity: int) -> Any:
        import hnswlib

        graph = hnswlib.Index(space="ip", dim=self.dimension)
        graph.init_index(max_elements=max(capacity, 16), M=EDGES, ef_construction=BUILD_BEAM, random_seed=1)
        graph.set_num_threads(self.threads)
        graph.set_ef(SEARCH_BEAM)
        return graph

    def _fill(self, graph: Any, ids: Ids, rows: Matrix) -> None:
        if not len(ids):
            return
        present = int(graph.get_current_count())
        total = present + len(ids)
        if total > int(graph.get_max_elements()):
            graph.resize_index(max(int(total * _GROWTH), 1_024))
        first = max(_FIRST_ROWS - present, 0)
        for some, threads in ((slice(0, first), 1), (slice(first, None), self.threads)):
            if len(ids[some]):
                graph.add_items(rows[some], ids[some], num_threads=threads)


_REBUILD_PORTION = 1_024  # half a second of one core between two checks of the cancel token


def _rows_of(state: dict[str, Any]) -> tuple[Ids, NDArray[np.float16]]:
    """Labels and rows out of hnswlib's own memory layout: one record a row, which holds edges, vector and label."""
    count, width, dimension = int(state["cur_element_count"]), int(state["size_data_per_element"]), int(state["dim"])
    records = state["data_level0"][: count * width].view(np.uint8).reshape(count, width)
    vector, label = int(state["offset_data"]), int(state["label_offset"])
    rows = np.empty((count, dimension), dtype=np.float16)
    for start in range(0, count, _REBUILD_PORTION):
        some = np.ascontiguousarray(records[start : start + _REBUILD_PORTION, vector : vector + 4 * dimension])
        rows[start : start + _REBUILD_PORTION] = some.view("<f4")
    labels = np.ascontiguousarray(records[:, label : label + 8]).view("<u8").reshape(count)
    return labels.astype(np.int64), rows
