"""A process that indexes a folder slowly, to be killed: crash_child.py ROOT CACHE SECONDS_PER_BATCH."""

from __future__ import annotations

import sys
from pathlib import Path

from indexed import slow_encoder

from retrieval.engine import Workspace
from retrieval.indexing import embedding, index_files, pipeline

# Small batches: many places where the process can be killed.
embedding.BATCH = 16
index_files.BATCH_CHUNKS = 25
pipeline.AHEAD_FROM = 10

if __name__ == "__main__":
    root, cache, seconds = sys.argv[1:]
    with Workspace.open(Path(root), encoder=slow_encoder(float(seconds)), cache_dir=Path(cache)) as workspace:
        print("open", flush=True)
        workspace.refresh(wait=60)
    print("done", flush=True)
