"""`python -m tests.benchmarks.lsp`: the language server as an editor feels it, against the budgets of its issue.

    python -m tests.benchmarks.lsp                  # 50,000 chunks of real code, some minutes
    python -m tests.benchmarks.lsp --chunks 3000    # a quick look; budgets are for 50,000

A real `c2llm serve` process over pipes. Requests and edits are timed from the moment they are written until the answer
is read. How long input is held up is asked with a request for a method that does not exist, each 10 ms: its answer needs
nothing but the thread that reads messages, so its delay is how long that thread was kept from it, and the time of pipes and
of a processor that others want too. What the latter is, a process tells that is asked right behind it and only echoes lines.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from c2llm_lsp.cli.bench import percentile
from tests.benchmarks.corpus import Corpus, Source, questions
from tests.benchmarks.table import Row, as_dicts, markdown
from tests.server.client import Client, started
from tests.server.editing import SERVE, Opened

PROBE_SECONDS = 0.01
HELD_UP = 5  # ms, the budget
EDITS = 60
QUERIES = 300
STARTS = 5
DEBOUNCE_MS = 150
MEGABYTE = 1e6


class Echo:
    """A process of the same kind that does nothing else than to answer."""

    def __init__(self) -> None:
        program = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.buffer.flush()"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def ask(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"x\n")
        self._process.stdout.readline()

    def close(self) -> None:
        self._process.communicate()


class Probe:
    """Delays of a request that costs nothing, and of an echo, while something else goes on."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._echo = Echo()
        self._stop = threading.Event()
        self.delays: list[float] = []  # ms
        self.echoes: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(PROBE_SECONDS):
            self.delays.append(milliseconds(lambda: self._client.refused("c2llm/nothing")))
            self.echoes.append(milliseconds(self._echo.ask))

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._echo.close()


class Bench:
    def __init__(self, folder: Path, chunks: int, encoder: str) -> None:
        self.folder, self.encoder = folder, encoder
        self.corpus = Corpus(folder / "corpus")
        Source().grow(self.corpus, chunks)
        self.asked = questions(self.corpus.root, QUERIES)

    def rows(self) -> Iterator[Row]:
        with self.server() as client:
            client.initialize(self.corpus.root)
            client.status()  # the rest of the program is loaded when this is answered
            yield from self.indexing(client)
            yield from self.indexed(client)
        yield from self.starting()

    @contextmanager
    def server(self) -> Iterator[Client]:
        client = started(SERVE, self.folder / "home", C2LLM_ENCODER=self.encoder)
        try:
            yield client
        finally:
            client.dispose()

    def indexing(self, client: Client) -> Iterator[Row]:
        """Requests while nothing is indexed yet, until everything is."""
        begun = time.perf_counter()
        times: list[float] = []
        queries = itertools.cycle(self.asked)
        with Probe(client) as probe:
            while not times or client.status()["folders"][0]["state"] != "ready":
                times.append(milliseconds(lambda: client.search(next(queries))))
                time.sleep(0.05)  # an editor asks now and then
        took = time.perf_counter() - begun
        found = client.status()["folders"][0]["freshness"]
        note = (
            f"{found['files']:,} files, {found['chunks']:,} chunks in {took:.0f} s, asked {len(times)} times meanwhile"
        )
        yield Row("request while indexing, median", percentile(sorted(times), 50), "ms", note=note)
        yield Row("request while indexing, 95th percentile", percentile(sorted(times), 95), "ms")
        yield from held("while indexing", probe)

    def indexed(self, client: Client) -> Iterator[Row]:
        while psutil.Process(client.process.pid).children():
            time.sleep(0.1)  # the process that has indexed is at its upkeep
        client.search(self.asked[0])
        times = sorted(milliseconds(lambda query=query: client.search(query)) for query in self.asked)  # type: ignore[misc]
        yield Row("request, median", percentile(times, 50), "ms", 10)
        yield Row("request, 95th percentile", percentile(times, 95), "ms", 25)
        with Probe(client) as probe:
            late = self.edits(client)
        yield Row("edit -> found after the debounce, median", percentile(late, 50), "ms")
        yield Row("edit -> found after the debounce, 95th percentile", percentile(late, 95), "ms", 60)
        yield from held("while editing", probe)
        memory = psutil.Process(client.process.pid).memory_info().rss / MEGABYTE
        yield Row("memory", memory, "MB", note="resident set of the server, with everything indexed")

    def edits(self, client: Client) -> list[float]:
        """Milliseconds, beyond the debounce, from a keystroke in a file of a thousand lines until it is found. Asked for
        once: who asks again and again holds up what he waits for.
        """
        path = self._long_file()
        folder = Opened(client, self.corpus.root)
        folder.open(path)
        folder.settled()
        late = []
        for number in range(EDITS):
            name = f"measured_edit_{number}"
            begun = time.perf_counter()
            folder.change(path, (0, 0, 0, 0, f"def {name}(first, second):\n    return first + {number}\n\n\n"))
            time.sleep(begun + DEBOUNCE_MS / 1e3 - time.perf_counter())
            hits = client.search(name, limit=3, waitForEdits=True)["hits"]
            late.append(1e3 * (time.perf_counter() - begun) - DEBOUNCE_MS)
            if not any(name in hit["text"] for hit in hits):
                raise SystemExit(f"{name} was not found")
        folder.close(path)
        return sorted(late)

    def starting(self) -> Iterator[Row]:
        """From the start of the process, and from sending the request, to the answer; the index is there and current."""
        whole, answers, ends = [], [], []
        for _ in range(STARTS):
            begun = time.perf_counter()
            with self.server() as client:
                answers.append(milliseconds(lambda c=client: c.initialize(self.corpus.root)))  # type: ignore[misc]
                whole.append(1e3 * (time.perf_counter() - begun))
                client.search(self.asked[0])
                ends.append(milliseconds(client.leave))
        yield Row("initialize, from the start of the process", statistics.median(whole), "ms", 300)
        yield Row("initialize, from sending it", statistics.median(answers), "ms", note="most of it is Python starting")
        yield Row("shutdown to the end of the process", max(ends), "ms", 1_000)

    def _long_file(self) -> str:
        for path in sorted(self.corpus.root.rglob("*.py")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if 950 <= text.count("\n") <= 1_100 and "\r" not in text and text.isascii():
                return path.relative_to(self.corpus.root).as_posix()
        raise SystemExit("the corpus has no file of about a thousand lines")


def held(when: str, probe: Probe) -> Iterator[Row]:
    ordered, echoes = sorted(probe.delays), sorted(probe.echoes)
    for name, share in (("median", 50), ("99th percentile", 99)):
        value, alike = percentile(ordered, share), percentile(echoes, share)
        yield Row(f"input held up {when}, {name}", value, "ms", note=f"an echo: {alike:.2g} ms")
    late = 100 * sum(value > HELD_UP for value in ordered) / len(ordered)
    alike = 100 * sum(value > HELD_UP for value in echoes) / len(echoes)
    yield Row(f"input held up {when} for more than {HELD_UP} ms", late, "%", note=f"an echo: {alike:.2g} %")
    yield Row(
        f"input held up {when}, longest",
        ordered[-1],
        "ms",
        HELD_UP,
        note=f"{len(ordered):,} probes; an echo: {echoes[-1]:.2g}",
    )


def milliseconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - begun)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chunks", type=int, default=50_000)
    options.add_argument("--encoder", default="embedded")
    options.add_argument("--json", type=Path, help="write the rows here as well")
    args = options.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="c2llm-lsp-benchmark-") as folder:
        for row in Bench(Path(folder), args.chunks, args.encoder).rows():
            print(f"{row.what}: {row.value:,.4g} {row.unit} {row.verdict}", file=sys.stderr, flush=True)
            rows.append(row)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}{load}"
    print(f"{machine}\n\n{markdown(rows)}")
    if args.json:
        args.json.write_text(json.dumps({"machine": machine, "rows": as_dicts(rows)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
