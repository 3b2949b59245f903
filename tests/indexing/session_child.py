"""A process that keeps a workspace current until it is killed: session_child.py ROOT CACHE SECONDS_PER_BATCH."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from indexed import slow_encoder

from c2llm_lsp.session.session import Session
from retrieval.engine import Workspace
from retrieval.indexing import embedding

embedding.BATCH = 16

if __name__ == "__main__":
    root, cache, seconds = sys.argv[1:]
    with Workspace.open(Path(root), encoder=slow_encoder(float(seconds)), cache_dir=Path(cache)) as workspace:
        Session(workspace, lambda event: print(type(event).__name__, flush=True)).start()
        threading.Event().wait()
