from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.vectors import GraphStamp, HnswIndex, hnsw_problem, load, save

pytestmark = pytest.mark.skipif(bool(hnsw_problem()), reason="hnswlib cannot be used here")
STAMP = GraphStamp("encoder", "generation", 7)


@pytest.fixture
def index() -> HnswIndex:
    matrix = np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    made = HnswIndex(16)
    made.add(np.arange(500) + 2**40, matrix)
    made.remove(np.arange(50) + 2**40)
    return made


def test_a_graph_comes_back_as_it_was(index: HnswIndex, tmp_path: Path) -> None:
    save(index, tmp_path / "graph.hnsw", STAMP)
    loaded = load(tmp_path / "graph.hnsw", "encoder", "generation")
    assert loaded is not None
    again, change = loaded
    assert change == 7
    assert again.ids().tolist() == index.ids().tolist()
    for query in np.eye(16, dtype=np.float32):
        for found, before in zip(again.search(query, 10), index.search(query, 10), strict=True):
            assert np.array_equal(found, before)
    again.add(np.array([1]), np.eye(16, dtype=np.float32)[:1])
    assert again.search(np.eye(16, dtype=np.float32)[0], 1)[0].tolist() == [1]


@pytest.mark.parametrize(("fingerprint", "generation"), [("other", "generation"), ("encoder", "other")])
def test_a_graph_of_another_encoder_or_index_is_not_used(
    index: HnswIndex, tmp_path: Path, fingerprint: str, generation: str
) -> None:
    save(index, tmp_path / "graph.hnsw", STAMP)
    assert load(tmp_path / "graph.hnsw", fingerprint, generation) is None


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, path.stat().st_size - 1),
        lambda path: os.truncate(path, 0),
        lambda path: os.truncate(path, 9),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        flip_a_bit,
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_damaged_graph_is_as_good_as_none(index: HnswIndex, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = tmp_path / "graph.hnsw"
    save(index, path, STAMP)
    damage(path)
    assert load(path, "encoder", "generation") is None


def test_a_graph_that_cannot_be_written_leaves_the_old_one(
    index: HnswIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "graph.hnsw"
    save(index, path, STAMP)

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        save(index, path, GraphStamp("encoder", "generation", 8))
    loaded = load(path, "encoder", "generation")
    assert loaded is not None
    assert loaded[1] == 7
    assert [entry.name for entry in tmp_path.iterdir()] == ["graph.hnsw"]
