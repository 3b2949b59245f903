"""A process that indexes a folder, to be killed: crash_child.py ROOT CACHE [step].

It says `open`, and begins when it reads a line. With `step` it says before each batch that is embedded (`embed`), and after each
that was committed (`words` or `vectors`), where it is, and goes on when it reads a line: the parent chooses the moment.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from retrieval.engine import Workspace
from retrieval.indexing import embedding, index_files, pipeline
from tests.engine.indexed import CountingEncoder

# Small batches: many places where the process can be killed.
embedding.BATCH = 16
index_files.BATCH_CHUNKS = 25
pipeline.AHEAD_FROM = 10

one_at_a_time = threading.Lock()  # chunks are embedded ahead by another thread


def say_and_wait(what: str) -> None:
    with one_at_a_time:
        print(what, flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    root, cache, *mode = sys.argv[1:]
    step = say_and_wait if mode == ["step"] else lambda _: None
    with Workspace.open(Path(root), encoder=CountingEncoder(lambda: step("embed")), cache_dir=Path(cache)) as workspace:
        say_and_wait("open")
        workspace.refresh(lambda stage, *_: step(stage), wait=60)
    print("done", flush=True)
