"""The BM25 index in memory gives what the full-text table gives, whatever happened to either."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.store import Store, bm25, full_text, split_identifiers
from retrieval.store.bm25 import Bm25Index
from tests.patience import PATIENCE
from tests.store.stored import update

WEIGHTS = [(4.0, 2.0, 1.0), (1.0, 1.0, 1.0), (0.0, 3.0, 0.5)]
TERMS = ["alpha", "beta", "gamma", "delta", "missing"]


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The BM25 index is used from the first chunk on."""
    monkeypatch.setattr(full_text, "BM25_MIN_CHUNKS", 0)


def by_table(store: Store, terms: list[str], weights: tuple[float, float, float]) -> list[tuple[int, float]]:
    return store.full_text.search(" OR ".join(f'"{term}"' for term in terms), 1_000, weights)


def rows(bm25_index: Bm25Index, word: str, weights: tuple[float, float, float] = (1, 1, 1)) -> list[int]:
    return bm25_index.snapshot().search([word], 5, weights)[0].tolist()


def score(bm25_index: Bm25Index, word: str) -> float:
    return float(bm25_index.snapshot().search([word], 5, (1, 1, 1))[1][0])


def check_same(store: Store) -> None:
    """Same rows, same scores, same frequencies, from the BM25 index and from the table."""
    assert store.full_text.bm25_snapshot() is not None
    for weights in WEIGHTS:
        for terms in (TERMS, TERMS[:1], TERMS[1:3]):
            mine, table = store.full_text.search(terms, 1_000, weights), by_table(store, terms, weights)
            ranked = [(row, score) for row, score in table if score > 0]
            assert [row for row, _ in mine] == [row for row, _ in ranked]
            assert np.allclose([s for _, s in mine], [s for _, s in ranked], rtol=1e-12)
            assert store.full_text.search(terms, 3, weights) == mine[:3] or mine[2][1] == mine[3][1], (
                "equals go by place"
            )
    frequencies = store.full_text.document_frequencies(TERMS)
    assert frequencies == {term: len(by_table(store, [term], (1, 1, 1))) for term in TERMS}
    ids = np.array(sorted(row for row, _ in by_table(store, TERMS, (1, 1, 1))), dtype=np.int64)
    with mock.patch.object(store.full_text, "bm25_snapshot", lambda: None):
        held_by_table = store.full_text.holding(TERMS, ids)
    assert np.array_equal(store.full_text.holding(TERMS, ids), held_by_table)
    assert dict(zip(TERMS, held_by_table.sum(axis=0).tolist(), strict=True)) == frequencies


texts = st.lists(
    st.lists(st.sampled_from([*TERMS[:4], "filler", "alphaBeta", "gamma_delta"]), min_size=1, max_size=12).map(
        " ".join
    ),
    max_size=6,
)


@given(
    changes=st.lists(
        st.tuples(st.sampled_from(["alpha.py", "b.py", "gamma/c.py"]), st.none() | texts), min_size=1, max_size=8
    )
)
@settings(max_examples=25)
def test_index_and_table_agree_after_any_changes(tmp_path_factory: pytest.TempPathFactory, changes: list) -> None:
    folder = tmp_path_factory.mktemp("bm25_index")
    minimum, full_text.BM25_MIN_CHUNKS = full_text.BM25_MIN_CHUNKS, 0
    try:
        with Store.open(folder, vectors=folder / "vectors.db") as store:
            for path, bodies in changes:
                if bodies is None:
                    store.apply([], [path])
                else:
                    store.apply([update(path, *bodies)])
                check_same(store)
            store.full_text.maintain()
        with Store.open(folder, vectors=folder / "vectors.db") as store:
            check_same(store)
    finally:
        full_text.BM25_MIN_CHUNKS = minimum


def test_counts_beyond_what_fits_are_cut_down_not_wrapped() -> None:
    bm25_index = Bm25Index()
    bm25_index.add(1, ("x " * 50, "x " * 50, "x " * 5_000))
    bm25_index.add(2, ("", "", "x " + "y " * 10_149))
    bm25_index.add(3, ("", "", "z"))
    bm25_index.add(4, ("", "", "z"))
    bm25_index.add(5, ("", "", "z"))
    assert rows(bm25_index, "x", (4, 2, 1)) == [1, 2]


def test_rows_without_words_count_as_rows() -> None:
    with_empty, without = Bm25Index(), Bm25Index()
    for bm25_index in (with_empty, without):
        bm25_index.add(1, ("", "", "alpha"))
        bm25_index.add(2, ("", "", "beta"))
        bm25_index.add(3, ("", "", "gamma"))
    with_empty.add(4, ("", "", ""))
    assert score(with_empty, "alpha") > score(without, "alpha")
    assert with_empty.snapshot().ids().tolist() == [1, 2, 3, 4]


def test_many_small_additions_stay_few_segments() -> None:
    bm25_index = Bm25Index()
    for row in range(1, 400):
        bm25_index.add(row, ("", "", f"alpha w{row}"))
        bm25_index.snapshot()
    assert len(bm25_index.snapshot().parts) < 12
    bm25_index.remove(list(range(1, 390)))
    assert bm25_index.snapshot().frequencies(["alpha"]) == {"alpha": 10}
    assert bm25_index.merged_segment().ids.tolist() == list(range(390, 400))


def test_nothing_and_everything_removed_answer_nothing() -> None:
    bm25_index = Bm25Index()
    assert rows(bm25_index, "alpha") == []
    bm25_index.add(1, ("", "", "alpha"))
    bm25_index.remove([1])
    assert rows(bm25_index, "alpha") == []
    assert bm25_index.merged_segment().ids.tolist() == []
    bm25_index.add(2, ("", "", "alpha"))
    assert rows(bm25_index, "alpha") == [2]


def test_large_additions_become_segments_before_they_take_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bm25, "MAX_NEW_TOKENS", 10)
    bm25_index = Bm25Index()
    for row in range(1, 40):
        bm25_index.add(row, ("name", "path", "alpha beta gamma"))
    assert bm25_index._new.tokens <= 15
    assert bm25_index.snapshot().frequencies(["gamma"]) == {"gamma": 39}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
        lambda path: path.write_bytes(path.read_bytes()[:300] + b"\xa5" + path.read_bytes()[301:]),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_file_is_as_good_as_none(opened: Callable[..., Store], damage: Callable[[Path], object]) -> None:
    store = opened()
    store.apply([update(f"f{n}.py", "alpha beta", f"gamma {n}") for n in range(9)])
    store.full_text.maintain()
    before = store.full_text.search(["alpha", "gamma"], 50, WEIGHTS[0])
    path = store.full_text.bm25_path
    store.close()
    damage(path)
    store = opened()
    assert np.allclose(sorted(store.full_text.search(["alpha", "gamma"], 50, WEIGHTS[0])), sorted(before), rtol=1e-12)
    store.full_text.maintain()
    check_same(store)


def test_the_file_of_another_index_is_not_used(opened: Callable[..., Store], tmp_path: Path) -> None:
    store = opened()
    store.apply([update("a.py", "alpha beta")])
    store.full_text.maintain()
    saved = store.full_text.bm25_path.read_bytes()
    store.close()
    (tmp_path / "index" / "index.db").unlink()
    store = opened()
    store.apply([update("z.py", "gamma delta")])
    store.close()
    store.full_text.bm25_path.write_bytes(saved)
    store = opened()
    assert store.full_text.search(["alpha"], 5, WEIGHTS[0]) == []
    assert store.full_text.search(["delta"], 5, WEIGHTS[0])


def test_a_reader_catches_up_with_what_another_process_wrote(opened: Callable[..., Store]) -> None:
    writer = opened()
    writer.apply([update("a.py", "alpha beta", "gamma")])
    writer.full_text.maintain()
    reader = opened()
    check_same(reader)
    writer.apply([update("a.py", "alpha changed", "gamma"), update("b.py", "delta")])
    writer.apply([update("c.py", "beta")], ["b.py"])
    check_same(reader)


def test_too_far_behind_the_table_answers(opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_text, "MAX_NEW_CHUNKS", 3)
    writer = opened()
    writer.apply([update("a.py", "alpha")])
    writer.full_text.maintain()
    reader = opened()
    writer.apply([update(f"f{n}.py", "alpha beta") for n in range(9)])
    assert reader.full_text.bm25_snapshot() is None
    assert len(reader.full_text.search(["alpha"], 50, WEIGHTS[0])) == 10
    reader.full_text.maintain()
    check_same(reader)


def test_questions_are_answered_while_rows_come_and_go(store: Store) -> None:
    store.apply([update(f"f{n}.py", "alpha beta", "gamma") for n in range(5)])
    stop, failures = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                assert store.full_text.search(["gamma"], 50, WEIGHTS[0])
                store.full_text.document_frequencies(TERMS)
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(40):
        store.apply([update(f"g{n % 7}.py", f"alpha {n}", "delta delta")], [f"g{(n + 3) % 7}.py"])
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not failures
    check_same(store)


def test_words_of_a_query_are_split_as_those_of_the_text(store: Store) -> None:
    store.apply([update("a.py", "parseHTTPHeaders: body"), update("b.py", "other"), update("c.py", "more")])
    assert len(store.full_text.search(split_identifiers("http header parsing").split(), 5, WEIGHTS[0])) == 1
    assert store.full_text.search(['"', "a OR b", "\x00", ""], 5, WEIGHTS[0]) == []


def test_a_snapshot_with_other_rows_in_place_of_some_is_scored_as_if_it_had_always_held_them() -> None:
    both, apart, other = Bm25Index(), Bm25Index(), Bm25Index()
    texts = {n: ("name", "path", "alpha " * (n % 4) + "beta gamma " * (n % 3)) for n in range(1, 30)}
    for n, columns in texts.items():
        apart.add(n, columns)
        if n % 5:
            both.add(n, columns)
    for n in range(30, 40):
        both.add(n, ("alpha", "p", "delta " * n))
        other.add(n, ("alpha", "p", "delta " * n))
    corpus = apart.snapshot().without(np.arange(5, 30, 5)).union(other.snapshot())
    for weights in WEIGHTS:
        found, expected = (c.search(TERMS, 100, weights) for c in (corpus, both.snapshot()))
        assert [part.tolist() for part in found] == [part.tolist() for part in expected]
    assert corpus.frequencies(TERMS) == both.snapshot().frequencies(TERMS)
    assert corpus.ids().tolist() == both.snapshot().ids().tolist()
    assert apart.snapshot().count == 29, "a snapshot never changes"


@given(
    allowed=st.sets(st.integers(1, 12)),
    limit=st.integers(1, 6),
    weights=st.sampled_from(WEIGHTS),
    bodies=st.lists(st.sampled_from(["alpha", "alpha beta", "beta beta", "gamma"]), min_size=12, max_size=12),
)
@settings(max_examples=40)
def test_a_filter_gives_the_best_of_what_it_lets_through(
    tmp_path_factory: pytest.TempPathFactory,
    allowed: set[int],
    limit: int,
    weights: tuple[float, float, float],
    bodies: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("filter")
    with Store.open(folder, vectors=folder / "vectors.db") as store:
        for n in reversed(range(12)):  # ids against the order of paths
            store.apply([update(f"f{n:02}.py", bodies[n])])
        ids = np.array(sorted(allowed), dtype=np.int64)
        whole = [row for row in store.full_text.search(["alpha", "beta"], 1_000, weights) if row[0] in allowed]
        sort_keys = store.chunks.sort_keys([row for row, _ in whole])
        expected = sorted(whole, key=lambda row: (-row[1], sort_keys[row[0]]))[:limit]
        by_bm25 = store.full_text.search(["alpha", "beta"], limit, weights, ids)
        by_table = store.full_text.search('"alpha" OR "beta"', limit, weights, ids)  # an expression is the table's
    for found in (by_bm25, by_table):
        assert {row for row, _ in found} == {row for row, _ in expected}
        assert np.allclose([s for _, s in found], [s for _, s in expected], rtol=1e-12)
