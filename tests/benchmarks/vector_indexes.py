"""`python -m tests.benchmarks.vector_indexes`: hnswlib beside usearch (float32, float16, int8) and beside comparing every row.

    python -m tests.benchmarks.vector_indexes --vectors ~/.cache/c2llm-lsp/vectors.db
    python -m tests.benchmarks.vector_indexes --rows 10000 200000 --kinds hnswlib usearch-i8

Rows are real vectors, those of one encoder in a vectors.db. Where more are wanted than there are, they repeat with noise of
`NOISE` of their length: near duplicates, as in real repositories. Queries are real vectors that are left out of the rows, with
more noise, because a question is nearer to no chunk than chunks are to each other. Each kind runs in a process of its own, on
one thread, with the product's parameters (16 edges, beams of 200 and 96); times are CPU times of that process. Memory is what it
grows by from before the first row to after the last.

`open` loads a file that was just written, `view` maps it, both with the first query. `delete` removes a fifth of the rows; recall
is then measured against what is left, and as many new rows are added.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil

from retrieval.vectors.hnsw import BUILD_BEAM, EDGES, SEARCH_BEAM

KINDS = ("exact", "hnswlib", "usearch-f32", "usearch-f16", "usearch-i8")
NOISE, QUERY_NOISE = 0.25, 0.6
QUERIES, LIMIT, PORTION, SEED = 500, 10, 2048, 5
Rows = np.ndarray[Any, np.dtype[np.float32]]


class Graph(Protocol):
    def add(self, ids: Any, rows: Rows) -> None: ...
    def search(self, query: Rows) -> list[int]: ...
    def remove(self, ids: Any) -> None: ...
    def save(self, path: Path) -> None: ...
    def open(self, path: Path, *, mapped: bool) -> Graph | None: ...


class Exact:
    def __init__(self, dimension: int, capacity: int) -> None:
        from retrieval.vectors import ExactIndex

        self._index = ExactIndex(dimension, half=True)

    def add(self, ids: Any, rows: Rows) -> None:
        self._index.add(ids, rows)

    def search(self, query: Rows) -> list[int]:
        return [int(row) for row in self._index.search(query, LIMIT)[0]]

    def remove(self, ids: Any) -> None:
        self._index.remove(ids)

    def save(self, path: Path) -> None:
        path.touch()

    def open(self, path: Path, *, mapped: bool) -> None:
        return None


class Hnswlib:
    def __init__(self, dimension: int, capacity: int) -> None:
        import hnswlib

        self._dimension = dimension
        self._graph = hnswlib.Index(space="ip", dim=dimension)
        self._graph.init_index(max_elements=capacity, M=EDGES, ef_construction=BUILD_BEAM, random_seed=1)
        self._graph.set_ef(SEARCH_BEAM)

    def add(self, ids: Any, rows: Rows) -> None:
        self._graph.add_items(rows, ids, num_threads=1)

    def search(self, query: Rows) -> list[int]:
        return [int(row) for row in self._graph.knn_query(query, k=LIMIT, num_threads=1)[0][0]]

    def remove(self, ids: Any) -> None:
        for row in ids.tolist():
            self._graph.mark_deleted(row)

    def save(self, path: Path) -> None:
        self._graph.save_index(str(path))

    def open(self, path: Path, *, mapped: bool) -> Hnswlib | None:
        if mapped:
            return None
        other = Hnswlib(self._dimension, 16)
        other._graph.load_index(str(path))
        other._graph.set_ef(SEARCH_BEAM)
        return other


class Usearch:
    def __init__(self, dimension: int, capacity: int, dtype: str) -> None:
        from usearch.index import Index

        self._make = lambda: Index(
            ndim=dimension,
            metric="ip" if dtype != "i8" else "cos",
            dtype=dtype,
            connectivity=EDGES,
            expansion_add=BUILD_BEAM,
            expansion_search=SEARCH_BEAM,
        )
        self._graph = self._make()
        self._kind = (dimension, capacity, dtype)

    def add(self, ids: Any, rows: Rows) -> None:
        self._graph.add(ids.astype(np.uint64), rows, threads=1)

    def search(self, query: Rows) -> list[int]:
        return [int(row) for row in self._graph.search(query, LIMIT, threads=1).keys]

    def remove(self, ids: Any) -> None:
        self._graph.remove(ids.astype(np.uint64))

    def save(self, path: Path) -> None:
        self._graph.save(str(path))

    def open(self, path: Path, *, mapped: bool) -> Usearch:
        other = Usearch(*self._kind)
        (other._graph.view if mapped else other._graph.load)(str(path))
        return other


def made(kind: str, dimension: int, capacity: int) -> Graph:
    if kind == "exact":
        return Exact(dimension, capacity)
    if kind == "hnswlib":
        return Hnswlib(dimension, capacity)
    return Usearch(dimension, capacity, kind.partition("-")[2])


def real_rows(path: Path) -> Rows:
    """The vectors of the encoder that has most."""
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as db:
        sql = "SELECT encoder, count(*) FROM vectors GROUP BY encoder ORDER BY 2 DESC LIMIT 1"
        encoder = db.execute(sql).fetchone()[0]
        data = [row for (row,) in db.execute("SELECT data FROM vectors WHERE encoder = ?", (encoder,))]
    rows = np.frombuffer(b"".join(data), "<f2").reshape(len(data), -1).astype(np.float32)
    return unit(np.unique(rows, axis=0))


def unit(rows: Rows) -> Rows:
    found: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def noisy(rows: Rows, share: float, random: np.random.Generator) -> Rows:
    noise = unit(random.standard_normal(rows.shape).astype(np.float32))
    return unit(rows + share * noise)


def corpus(real: Rows, count: int) -> tuple[Rows, Rows, int]:
    """Rows, queries, and how many of the rows are distinct real ones."""
    random = np.random.default_rng(SEED)
    real = real[random.permutation(len(real))]
    queries, real = noisy(real[:QUERIES], QUERY_NOISE, random), real[QUERIES:]
    parts = [real[:count]]
    while sum(map(len, parts)) < count:
        parts.append(noisy(real[: count - sum(map(len, parts))], NOISE, random))
    rows = np.concatenate(parts)
    return rows[random.permutation(len(rows))], queries, min(count, len(real))


def truth(rows: Rows, queries: Rows, ids: Any) -> list[set[int]]:
    return [set(ids[np.argpartition(-(rows @ query), LIMIT)[:LIMIT]].tolist()) for query in queries]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def recall(graph: Graph, queries: Rows, wanted: list[set[int]]) -> tuple[float, float, float]:
    """Recall, and the median and 95th percentile of a query's CPU time in microseconds."""
    hits, took = 0, []
    for query, best in zip(queries, wanted, strict=True):
        found, seconds = timed(lambda query=query: graph.search(query))  # type: ignore[misc]
        hits += len(best & set(found))
        took.append(1e6 * seconds)
    return hits / (LIMIT * len(queries)), float(np.median(took)), float(np.percentile(took, 95))


def measure(kind: str, count: int, source: Path) -> dict[str, float]:
    """One kind and size, in this process."""
    data = np.load(source)
    rows, queries = data["rows"], data["queries"]
    ids, process = np.arange(len(rows), dtype=np.int64), psutil.Process()
    base = process.memory_info().rss
    graph = made(kind, rows.shape[1], int(1.25 * len(rows)))

    def build() -> None:
        for start in range(0, len(rows), PORTION):
            graph.add(ids[start : start + PORTION], rows[start : start + PORTION])

    found: dict[str, float] = {"build CPU-s": timed(build)[1], "MB": (process.memory_info().rss - base) / 1e6}
    found["recall"], found["p50 us"], found["p95 us"] = recall(graph, queries, truth(rows, queries, ids))
    file = source.parent / f"{kind}-{count}"
    found["save CPU-s"] = timed(lambda: graph.save(file))[1]
    found["file MB"] = file.stat().st_size / 1e6
    for name, mapped in (("open", False), ("view", True)):
        opened, seconds = timed(lambda mapped=mapped: opened_and_asked(graph, file, queries[0], mapped))  # type: ignore[misc]
        if opened:
            found[f"{name} ms"] = 1000 * seconds
    gone = np.random.default_rng(SEED).permutation(ids)[: len(ids) // 5]
    found["delete CPU-s"] = timed(lambda: graph.remove(gone))[1]
    left = np.setdiff1d(ids, gone)
    found["recall after"], found["p50 us after"], _ = recall(graph, queries, truth(rows[left], queries, left))
    fresh = noisy(rows[gone], NOISE, np.random.default_rng(SEED))
    new_ids = np.arange(len(rows), len(rows) + len(gone), dtype=np.int64)
    found["add CPU-s"] = timed(lambda: graph.add(new_ids, fresh))[1]
    wanted = truth(np.concatenate([rows[left], fresh]), queries, np.concatenate([left, new_ids]))
    found["recall added"] = recall(graph, queries, wanted)[0]
    file.unlink()
    return found


def opened_and_asked(graph: Graph, file: Path, query: Rows, mapped: bool) -> bool:
    other = graph.open(file, mapped=mapped)
    return other is not None and bool(other.search(query))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--vectors", type=Path, help="a vectors.db")
    options.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    options.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    options.add_argument("--one", nargs=3, metavar=("KIND", "ROWS", "FILE"), help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        kind, count, source = args.one
        print(json.dumps(measure(kind, int(count), Path(source))))
        return 0
    real, names = real_rows(args.vectors), []
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.machine()}{load}; {len(real):,} distinct real vectors of {real.shape[1]} dimensions")
    with tempfile.TemporaryDirectory(prefix="c2llm-vectors-") as folder:
        for count in args.rows:
            rows, queries, distinct = corpus(real, count)
            source = Path(folder) / "corpus.npz"
            np.savez(source, rows=rows, queries=queries)
            for kind in args.kinds:
                command = [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.vector_indexes",
                    "--one",
                    kind,
                    str(count),
                    str(source),
                ]
                environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
                found = json.loads(done.stdout)
                if not names:
                    names = [
                        "build CPU-s",
                        "MB",
                        "recall",
                        "p50 us",
                        "p95 us",
                        "file MB",
                        "open ms",
                        "view ms",
                        "delete CPU-s",
                    ]
                    names += ["recall after", "p50 us after", "add CPU-s", "recall added"]
                    print(" | ".join(["rows (distinct)", "index", *names]))
                cells = [f"{found[name]:.3g}" if name in found else "" for name in names]
                print(" | ".join([f"{count:,} ({distinct:,})", kind, *cells]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
