"""`c2llm bench`: how fast indexing and queries are on a workspace of yours, in a cache of its own that goes afterwards.

The queries are names defined in the workspace's own code, split into words. The project's benchmarks (`python -m tests.benchmarks`)
measure with the same functions.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, guarded, locate, open_workspace, remark

if TYPE_CHECKING:
    from retrieval.engine import Workspace

app = typer.Typer(add_completion=False)

WARM_UP = 5  # queries before measuring: the first ones read pages and build caches that all others use
SEED = 7


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table; the budgets are those of the design, for two cores and 50,000 chunks."""

    what: str
    value: float
    unit: str
    budget: str = ""


@app.command()
@guarded
def bench(
    path: options.WorkspacePath = None,
    queries: Annotated[int, typer.Option("--queries", min=1, max=10_000, help="Number of queries.")] = 200,
    as_json: options.AsJson = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Measure indexing and queries on a workspace of yours.

    Indexes it from nothing in a temporary cache, so the index in use is left alone.
    """
    from c2llm_lsp.cli.progress import refresh

    with tempfile.TemporaryDirectory(prefix="c2llm-bench-") as cache:
        target = locate(path, quiet=quiet, encoder=encoder, cache_dir=cache)
        with open_workspace(target) as workspace:
            started = time.perf_counter()
            report = refresh(workspace, quiet=quiet)
            cold = time.perf_counter() - started
            if report.cancelled:
                return INTERRUPTED
            if not report.chunks_added:
                remark("There is nothing to index here.")
                return NOTHING
            again = seconds(workspace.refresh)
            sample = sample_queries(workspace, queries)
            times = sorted(latencies(workspace, sample))
        reopened = seconds(lambda: first_answer(lambda: open_workspace(target), sample[0]))
    measures = [
        Measure("files", report.files_seen, "files"),
        Measure("chunks", report.chunks_added, "chunks"),
        Measure("index from nothing", cold, "s"),
        Measure("index from nothing", report.chunks_added / cold, "chunks/s", "≥ 600"),
        Measure("scan, nothing changed", 1e3 * again, "ms"),
        Measure("open, scan, answer", reopened, "s", "≤ 1"),
        Measure("query, median", 1e3 * percentile(times, 50), "ms", "≤ 10"),
        Measure("query, 95th percentile", 1e3 * percentile(times, 95), "ms", "≤ 25"),
    ]
    if as_json:
        import json

        rows = {"schema_version": 1, "root": str(target.root), "measures": [asdict(measure) for measure in measures]}
        typer.echo(json.dumps(rows, indent=2))
    else:
        for measure in measures:
            typer.echo(f"{measure.what:<32} {measure.value:>12,.2f} {measure.unit:<9} {measure.budget}".rstrip())
    return FOUND


def sample_queries(workspace: Workspace, count: int) -> list[str]:
    """Names of definitions of the workspace, split into words; the same ones each time."""
    from retrieval.store import split_identifiers

    ids = workspace.store.chunks.ids().tolist()
    random.Random(SEED).shuffle(ids)
    queries: list[str] = []
    for start in range(0, len(ids), 1000):
        chunks = workspace.store.chunks.get(ids[start : start + 1000]).values()
        queries += [split_identifiers(chunk.qualified) for chunk in chunks if chunk.symbol]
        if len(queries) >= count:
            break
    return queries[:count] or ["main"]


def latencies(workspace: Workspace, queries: Sequence[str]) -> list[float]:
    """Seconds of each query, after some that are not counted."""
    for query in queries[:WARM_UP]:
        workspace.search(query)
    return [seconds(lambda query=query: workspace.search(query)) for query in queries]  # type: ignore[misc]


def first_answer(opening: Callable[[], AbstractContextManager[Workspace]], query: str) -> None:
    """What a command does in a workspace that was indexed before: open it, look for changes, answer."""
    with opening() as workspace:
        workspace.refresh()
        workspace.search(query)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentile(times: Sequence[float], percent: float) -> float:
    """Of sorted times, by the nearest rank."""
    return times[min(len(times) - 1, int(len(times) * percent / 100))]
