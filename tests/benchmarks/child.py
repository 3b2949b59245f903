"""One measurement in a fresh process: `python -m tests.benchmarks.child WHAT ROOT CACHE ENCODER` prints a number.

answer: seconds from opening a workspace to the first answer. memory: resident megabytes after that. in-memory:
resident megabytes of a process that holds all chunks and a float32 matrix of their vectors, as tools without a
database do.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil

from retrieval.encoders import load
from retrieval.engine import Workspace

QUERY = "parse a date from text"
MEGABYTE = 1e6


def main(what: str, root: Path, cache: Path, encoder_name: str) -> float:
    started = time.perf_counter()
    encoder = load(encoder_name)
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        if what == "in-memory":
            chunks = workspace.store.chunks.get(workspace.store.chunks.ids().tolist())
            matrix = workspace.store.vectors.all(encoder.fingerprint)[1]
            vector = encoder.encode_queries([QUERY])[0]
            assert len((matrix @ vector).argsort()[-10:]) and chunks
            return psutil.Process().memory_info().rss / MEGABYTE
        workspace.refresh()
        answer = workspace.search(QUERY)
        took = time.perf_counter() - started
        assert answer.hits
        return took if what == "answer" else psutil.Process().memory_info().rss / MEGABYTE


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]))
