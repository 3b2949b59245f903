"""The map of a workspace: like is near like, clusters are named by what tells them apart, the same code gives the same map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.engine.map import NO_VECTORS, map_workspace
from retrieval.engine.map import layout as layout_module
from retrieval.engine.map.clusters import cluster, name_clusters
from retrieval.engine.map.layout import layout

TOPICS = {
    "invoices": "invoice total tax price",
    "sockets": "socket port connect packet",
    "pictures": "pixel color image width",
}


def grouped(count: int, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Normalized vectors around some directions, and the direction of each."""
    random = np.random.default_rng(3)
    labels = np.arange(count) % groups
    vectors = np.eye(groups, 16, dtype=np.float32)[labels] + random.normal(0, 0.08, (count, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels


@pytest.mark.parametrize("landmarks", [500, 40])
def test_neighbors_in_meaning_are_neighbors_on_the_map(landmarks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_module, "LANDMARKS", landmarks)
    vectors, labels = grouped(120, 4)
    places = layout(vectors)
    assert places.shape == (120, 2) and places.min() >= 0 and places.max() <= 1
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :5]
    assert (labels[nearest] == labels[:, None]).mean() > 0.95
    assert np.array_equal(places, layout(vectors)), "the same each time"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9])
def test_a_few_files_have_a_map_too(count: int) -> None:
    vectors, _ = grouped(count, 2) if count else (np.empty((0, 16), np.float32), None)
    places = layout(vectors)
    assert places.shape == (count, 2) and np.isfinite(places).all()


def test_equal_vectors_have_places() -> None:
    places = layout(np.repeat(np.eye(1, 16, dtype=np.float32), 30, axis=0))
    assert np.isfinite(places).all()


def test_clusters_are_those_of_the_vectors_the_largest_first() -> None:
    vectors, labels = grouped(120, 4)
    groups = cluster(vectors)
    for group in set(groups.tolist()):
        assert len(set(labels[groups == group].tolist())) == 1, "no cluster has two topics"
    sizes = np.bincount(groups)
    assert list(sizes) == sorted(sizes, reverse=True)


def test_a_name_is_what_tells_a_cluster_from_the_others() -> None:
    words = [
        frozenset({"app", "invoice", "tax"}),
        frozenset({"app", "invoice", "invoices"}),
        frozenset({"app", "socket"}),
    ]
    names = name_clusters(words, np.array([0, 0, 1]))
    assert names[0][0].startswith("invoice") and "app" not in names[0][:1]
    assert names[1][0] == "socket"


def test_files_of_one_topic_are_in_one_cluster_that_is_named_by_it(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for topic, words in TOPICS.items():
        (root / topic).mkdir(parents=True)
        for number in range(6):
            body = "\n".join(f"    {word} = {word}_{number}()" for word in words.split())
            (root / topic / f"{words.split()[number % 4]}_{number}.py").write_text(
                f"def {words.split()[0]}_{number}():\n{body}\n"
            )
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        assert map_workspace(workspace).notes == (NO_VECTORS,)
        workspace.refresh()
        found = map_workspace(workspace)
        assert found == map_workspace(workspace)
    assert len(found.files) == 18
    folders = {
        group: {one.path.split("/")[0] for one in found.files if one.cluster == group}
        for group in range(len(found.clusters))
    }
    assert all(len(names) == 1 for names in folders.values())
    for number, one in enumerate(found.clusters):
        (folder,) = folders[number]
        assert set(one.terms) & {folder, *TOPICS[folder].split(), folder.rstrip("s")}, (folder, one.terms)
