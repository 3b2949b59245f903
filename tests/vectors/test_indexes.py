"""Both kinds of index do the same; the exact one is told apart by nothing but its speed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.vectors import ExactIndex, HnswIndex, VectorIndex, hnsw_problem
from retrieval.vectors import hnsw as hnsw_module
from tests.patience import PATIENCE

needs_hnswlib = pytest.mark.skipif(bool(hnsw_problem()), reason="hnswlib cannot be used here")
KINDS = [
    pytest.param(ExactIndex, id="exact"),
    pytest.param(lambda d: ExactIndex(d, half=True), id="half"),
    pytest.param(HnswIndex, id="hnsw", marks=needs_hnswlib),
]
Make = Callable[[int], VectorIndex]
DIMENSION = 16


def rows(count: int, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    """Clustered rows, as those of code are, in what the store can hold."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, count // 20), dimension))
    matrix = centres[rng.integers(0, len(centres), count)] + 0.6 * rng.normal(size=(count, dimension))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix.astype(np.float16).astype(np.float32)


def array(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int64)


@pytest.mark.parametrize("make", KINDS)
def test_the_nearest_come_first_with_their_cosines(make: Make) -> None:
    index, matrix = make(DIMENSION), rows(200)
    index.add(np.arange(200) + 1000, matrix)
    ids, scores = index.search(matrix[7], 5)
    assert ids[0] == 1007
    assert np.all(np.diff(scores) <= 0)
    assert np.allclose(scores, [matrix[i - 1000] @ matrix[7] for i in ids], atol=2e-3)
    assert ids.dtype == np.int64
    assert scores.dtype == np.float32


@pytest.mark.parametrize("make", KINDS)
def test_an_empty_index_and_no_wish_give_nothing(make: Make) -> None:
    index = make(DIMENSION)
    assert len(index.search(rows(1)[0], 5)[0]) == 0
    index.add(array(1), rows(1))
    assert len(index.search(rows(1)[0], 0)[0]) == 0
    assert len(index.search(rows(1)[0], 5, array())[0]) == 0


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("k", [1, 3, 50, 51, 1000])
def test_more_than_there_are_is_all_of_them(make: Make, k: int) -> None:
    index, matrix = make(DIMENSION), rows(60)
    index.add(np.arange(60), matrix)
    index.remove(np.arange(10))
    assert len(index.search(matrix[0], k)[0]) == min(k, 50)


@pytest.mark.parametrize("make", KINDS)
def test_when_nearly_all_are_removed_the_rest_is_found(make: Make) -> None:
    index, matrix = make(DIMENSION), rows(500)
    index.add(np.arange(500), matrix)
    index.remove(np.arange(497))
    assert sorted(index.search(matrix[0], 10)[0].tolist()) == [497, 498, 499]
    index.remove(array(497, 498, 499))
    assert len(index.search(matrix[0], 10)[0]) == 0
    assert len(index) == 0


@pytest.mark.parametrize("make", KINDS)
def test_known_ids_are_not_added_and_unknown_ones_not_removed(make: Make) -> None:
    index, matrix = make(DIMENSION), rows(4)
    index.add(array(1, 2, 2), matrix[:3])
    index.add(array(2, 3), matrix[2:])
    index.remove(array(99))
    assert index.ids().tolist() == [1, 2, 3]


@pytest.mark.parametrize("make", KINDS)
def test_identical_rows_are_all_found(make: Make) -> None:
    index = make(DIMENSION)
    index.add(np.arange(300), np.repeat(rows(1), 300, axis=0))
    assert len(set(index.search(rows(1)[0], 300)[0].tolist())) == 300


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("share", [0.005, 0.1, 0.5, 0.9])
def test_a_filter_gives_the_nearest_of_what_is_allowed(
    make: Make, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hnsw_module, "FEW_ALLOWED", 150)
    index, matrix = make(DIMENSION), rows(2_000)
    index.add(np.arange(2_000), matrix)
    allowed = np.sort(np.random.default_rng(1).choice(2_000, int(2_000 * share), replace=False)).astype(np.int64)
    hits = 0
    for query in rows(20, seed=2):
        found = index.search(query, 10, allowed)[0]
        best = allowed[np.argsort(-(matrix[allowed] @ query), kind="stable")[:10]]
        assert set(found.tolist()) <= set(allowed.tolist())
        assert len(found) == 10
        hits += len(set(found.tolist()) & set(best.tolist()))
    assert hits >= 0.95 * 200


@pytest.mark.parametrize("make", KINDS)
@given(data=st.data())
@settings(max_examples=25)
def test_any_sequence_of_changes_leaves_what_a_set_would_hold(make: Make, data: st.DataObject) -> None:
    """Small enough for the beam to reach every row: all kinds must answer alike."""
    index, matrix, held = make(DIMENSION), rows(64), set()
    ids = st.lists(st.integers(0, 63), max_size=20)
    for _ in range(data.draw(st.integers(1, 8))):
        some = np.array(data.draw(ids), dtype=np.int64)
        if data.draw(st.booleans()):
            index.add(some, matrix[some])
            held |= set(some.tolist())
        else:
            index.remove(some)
            held -= set(some.tolist())
        if isinstance(index, HnswIndex) and data.draw(st.booleans()):
            index.rebuild()
        assert index.ids().tolist() == sorted(held)
        assert len(index) == len(held)
    query = rows(1, seed=3)[0]
    found, _ = index.search(query, 10)
    left = np.array(sorted(held), dtype=np.int64)
    best = left[np.lexsort((left, -(matrix[left] @ query)))][:10]
    assert np.allclose(np.sort(matrix[found] @ query), np.sort(matrix[best] @ query), atol=2e-3)


@pytest.mark.slow
@needs_hnswlib
def test_queries_go_on_while_rows_come_and_go_and_the_graph_is_rebuilt() -> None:
    index, matrix = HnswIndex(DIMENSION), rows(3_000)
    index.add(np.arange(1_000), matrix[:1_000])
    stop, failures = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                ids, _ = index.search(matrix[5], 10)
                assert 5 in ids
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(1_000, 3_000, 200):
        index.add(np.arange(start, start + 200), matrix[start : start + 200])
        index.remove(np.arange(start - 800, start - 700))
    index.rebuild()
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not failures
    assert len(index) == 2_000


@needs_hnswlib
def test_changes_during_a_rebuild_are_in_the_new_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    index, matrix = HnswIndex(DIMENSION), rows(300)
    index.add(np.arange(200), matrix[:200])
    fill = index._fill

    def meddle(graph: object, ids: np.ndarray, vectors: np.ndarray) -> None:
        monkeypatch.setattr(index, "_fill", fill)
        index.remove(np.arange(50))
        index.add(np.arange(200, 300), matrix[200:])
        fill(graph, ids, vectors)

    monkeypatch.setattr(index, "_fill", meddle)
    index.rebuild()
    assert index.ids().tolist() == list(range(50, 300))
    assert index.search(matrix[250], 1)[0].tolist() == [250]
    assert 10 not in index.search(matrix[10], 250)[0]


@needs_hnswlib
def test_many_deletions_wear_a_graph_and_a_rebuild_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hnsw_module, "DELETED_ROWS", 10)
    index, matrix = HnswIndex(DIMENSION), rows(200)
    index.add(np.arange(200), matrix)
    assert not index.needs_rebuild
    index.remove(np.arange(100))
    assert index.needs_rebuild
    told: list[tuple[int, int]] = []
    index.rebuild(progress=lambda *rows: told.append(rows))
    assert told == [(0, 100)]
    assert not index.needs_rebuild
    assert index.ids().tolist() == list(range(100, 200))


@pytest.mark.slow
@needs_hnswlib
@pytest.mark.parametrize("portion", [16, 1_000, 3_000])
def test_several_threads_add_rows_only_to_a_graph_that_has_many(portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that several threads add to a small graph at once do not see each other, and were lost to queries."""

    class Recorder:
        def __init__(self, graph: Any) -> None:
            self.graph = graph

        def add_items(self, matrix: Any, ids: Any, num_threads: int) -> None:
            added.append((num_threads, self.get_current_count(), len(ids)))
            self.graph.add_items(matrix, ids, num_threads=num_threads)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.graph, name)

    added: list[tuple[int, int, int]] = []
    new_graph = HnswIndex._new_graph
    monkeypatch.setattr(HnswIndex, "_new_graph", lambda index, capacity: Recorder(new_graph(index, capacity)))
    matrix, graph = rows(3_000, dimension=64), HnswIndex(64, threads=3)
    for start in range(0, len(matrix), portion):
        graph.add(np.arange(start, min(start + portion, 3_000)), matrix[start : start + portion])
    graph.rebuild()
    assert sum(count for _, _, count in added) == 2 * 3_000
    assert all(threads == (1 if present < 1_024 else 3) for threads, present, _ in added)


@needs_hnswlib
@pytest.mark.slow
def test_the_graph_finds_what_comparing_every_row_finds() -> None:
    """Recall@10 >= 0.98 on clustered rows."""
    everything = rows(20_200, dimension=64)
    matrix, queries = everything[:20_000], everything[20_000:]
    exact, graph = ExactIndex(64), HnswIndex(64, threads=2, capacity=20_000)
    for index in (exact, graph):
        index.add(np.arange(20_000), matrix)
    hits = 0
    for query in queries:
        hits += len(set(exact.search(query, 10)[0].tolist()) & set(graph.search(query, 10)[0].tolist()))
    assert hits / 2_000 >= 0.98
