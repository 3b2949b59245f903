"""The files of a workspace, each with its place, its cluster and what is in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.engine.map.clusters import cluster, name_clusters
from retrieval.engine.map.layout import layout
from retrieval.engine.workspace import Workspace
from retrieval.store import PART, Header

MAX_FILES = 5_000  # those with most code
NO_VECTORS = "There are no vectors yet, so there is no map; indexing makes them."
LEFT_OUT = "The map shows the {} files with most code of {}."


@dataclass(frozen=True, slots=True)
class MappedFile:
    path: str
    language: str
    chunks: int
    x: float  # 0..1
    y: float
    cluster: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Similar files: the words that tell them from the others, and the middle of their places."""

    terms: tuple[str, ...]
    files: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class RepositoryMap:
    files: tuple[MappedFile, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    headers: tuple[Header, ...]
    vector: NDArray[np.float32]


def map_workspace(workspace: Workspace) -> RepositoryMap:
    """The map of what is stored with vectors. Raises StoreError, ModelError."""
    everything = _files(workspace)
    files = sorted(everything, key=lambda one: -len(one.headers))[:MAX_FILES]
    files.sort(key=lambda one: one.path)
    if not files:
        return RepositoryMap(notes=(NO_VECTORS,))
    vectors = np.array([one.vector for one in files], dtype=np.float32)
    places, groups = layout(vectors), cluster(vectors)
    names = name_clusters([_words(one) for one in files], groups)
    mapped = tuple(
        MappedFile(one.path, one.headers[0].language, len(one.headers), float(place[0]), float(place[1]), int(group))
        for one, place, group in zip(files, places, groups, strict=True)
    )
    notes = (LEFT_OUT.format(len(files), len(everything)),) if len(everything) > len(files) else ()
    return RepositoryMap(mapped, _clusters(names, places, groups), notes)


def _files(workspace: Workspace) -> list[_File]:
    """Each file with the mean of its chunks' vectors."""
    ids, matrix = workspace.store.vectors.all(workspace.encoder.fingerprint)
    headers = workspace.snapshot()[0].rows.headers(ids.tolist())
    rows: dict[str, list[int]] = defaultdict(list)
    for row, i in enumerate(ids.tolist()):
        if (header := headers.get(i)) is not None:
            rows[header.path].append(row)
    files = []
    for path, own in rows.items():
        mean = matrix[own].astype(np.float32).mean(axis=0)
        length = float(np.linalg.norm(mean))
        if length > 0:
            files.append(_File(path, tuple(headers[int(ids[row])] for row in own), mean / length))
    return files


def _words(file: _File) -> frozenset[str]:
    """The words of the path and of all names that a file defines."""
    names = [file.path.rpartition(".")[0] or file.path]
    for header in file.headers:
        names += (header.symbol, header.others)
    return frozenset(part[0].lower() for name in names for part in PART.finditer(name) if part[0].isalpha())


def _clusters(
    names: Sequence[tuple[str, ...]], places: NDArray[np.float32], groups: NDArray[np.int64]
) -> tuple[Cluster, ...]:
    out = []
    for group, terms in enumerate(names):
        inside = places[groups == group]
        middle = np.median(inside, axis=0) if len(inside) else np.zeros(2)
        out.append(Cluster(terms, len(inside), float(middle[0]), float(middle[1])))
    return tuple(out)
