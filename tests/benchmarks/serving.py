"""`python -m tests.benchmarks.serving`: what serving an encoder on loopback costs, beside the encoder in this process.

    python -m tests.benchmarks.serving                       # the embedded model: the least work for each byte sent
    python -m tests.benchmarks.serving --encoder FOLDER      # a larger one
    python -m tests.benchmarks.serving --clients 8 --passages 4000

Real passages (the standard library's, cut as the product cuts them) and real processes: the server is `c2llm
serve-embeddings`, the clients are our own in processes of their own, each with a share of the passages, all starting at
once. In process the same encoder, with as many threads, gets the same passages in one call after another of as many
texts as indexing would hand it. The two take turns, and the best of each counts: what else the machine does slows
both. The budget is 90 % of the rate in process. A share of the machine's cores goes to the clients and to HTTP, so the
figure also says how many cores there were, and what of all processes' CPU time was spent outside the encoder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil

from retrieval.chunking import chunk_file, passage
from retrieval.encoders import load
from retrieval.encoders.protocol import Encoder
from tests.benchmarks.table import Row, as_dicts, markdown

SHARE = 0.9
CALL = 512  # passages of one call in process: what indexing hands an encoder
ROUNDS = 3
QUERIES = 200


def passages(count: int) -> list[str]:
    """Of the standard library, in the order of its files."""
    found: list[str] = []
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        text = path.read_text("utf-8", "replace")
        found += [passage(chunk) for chunk in chunk_file(path.name, text)]
        if len(found) >= count:
            break
    return (found * (count // max(len(found), 1) + 1))[:count]


def in_process(encoder: Encoder, texts: list[str]) -> float:
    """Passages a second."""
    started = time.perf_counter()
    for at in range(0, len(texts), CALL):
        encoder.encode_passages(texts[at : at + CALL])
    return len(texts) / (time.perf_counter() - started)


def client(url: str, texts: list[str], ready: Barrier, done: Barrier, go: Barrier) -> None:
    """One of the clients, which has met the server before the clock starts."""
    remote = load(url)
    remote.encode_passages(texts[:64])
    for _ in range(ROUNDS):
        ready.wait()
        for at in range(0, len(texts), CALL):
            remote.encode_passages(texts[at : at + CALL])
        done.wait()
        go.wait()  # so that its CPU time can be read


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--encoder", default="embedded")
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--passages", type=int, default=16_000)
    options.add_argument("--threads", type=int, default=0)
    options.add_argument("--json", type=Path, help="write the rows here as well")
    args = options.parse_args()
    texts = passages(args.passages)
    encoder = load(args.encoder, threads=args.threads or None)
    encoder.encode_passages(texts[:64])
    with tempfile.TemporaryDirectory() as home:
        environ = {
            **os.environ,
            "C2LLM_CACHE_DIR": home,
            "C2LLM_CONFIG": f"{home}/none",
            "C2LLM_THREADS": str(args.threads),
        }
        command = [sys.executable, "-m", "c2llm_lsp", "serve-embeddings", "--port", "0", "--encoder", args.encoder]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as server:
            try:
                assert server.stderr is not None
                url = next(line.split()[-1] for line in server.stderr if "http://" in line)  # libraries chatter before
                rows = measured(encoder, url, texts, args.clients, server.pid)
            finally:
                server.terminate()
    print(f"{os.cpu_count()} cores; {len(texts):,} passages; encoder {args.encoder}\n")
    print(markdown(rows))
    if args.json:
        args.json.write_text(json.dumps(as_dicts(rows), indent=1))
    return 0


def measured(encoder: Encoder, url: str, texts: list[str], clients: int, server: int) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    ready, done, go = (context.Barrier(clients + 1) for _ in range(3))
    shares = [texts[n::clients] for n in range(clients)]
    workers = [context.Process(target=client, args=(url, share, ready, done, go)) for share in shares]
    for worker in workers:
        worker.start()
    own, served, spent, direct, asking = (list[float]() for _ in range(5))
    for _ in range(ROUNDS):
        before = time.process_time()
        own.append(in_process(encoder, texts))
        direct.append(time.process_time() - before)
        before, theirs = cpu(server), sum(cpu(worker.pid or 0) for worker in workers)
        ready.wait()
        started = time.perf_counter()
        done.wait()
        served.append(len(texts) / (time.perf_counter() - started))
        spent.append(cpu(server) - before)
        asking.append(sum(cpu(worker.pid or 0) for worker in workers) - theirs)
        go.wait()
    for worker in workers:
        worker.join()
    remote = load(url)
    best, alone = max(served), max(own)
    texts_each = f"{len(texts) / clients:,.0f} passages each"
    return [
        Row(
            f"passages through the server, {clients} clients",
            best,
            "passages/s",
            SHARE * alone,
            more_is_better=True,
            alternative="in process",
            other=alone,
            note=f"{texts_each}; {100 * best / alone:.0f} % of the rate in process",
        ),
        Row(
            "CPU of the server",
            1e6 * min(spent) / len(texts),
            "µs/passage",
            None,
            False,
            "in process",
            1e6 * min(direct) / len(texts),
        ),
        Row("CPU of the clients", 1e6 * min(asking) / len(texts), "µs/passage"),
        Row("a query through the server", latency(remote), "ms", None, False, "in process", latency(encoder)),
    ]


def cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def latency(encoder: Encoder) -> float:
    """Milliseconds of a query, the median."""
    took = []
    for number in range(QUERIES):
        started = time.perf_counter()
        encoder.encode_queries([f"where is the number {number} parsed"])
        took.append(time.perf_counter() - started)
    return 1e3 * sorted(took)[len(took) // 2]


if __name__ == "__main__":
    sys.exit(main())
