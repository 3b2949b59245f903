"""A process whose session writes an index until it is killed: session_child.py ROOT CACHE.

It embeds nothing: when it says `held`, the words of all files are in the index, and no vector.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from c2llm_lsp.session.session import Session
from retrieval.engine import Workspace
from tests.engine.indexed import CountingEncoder


def hold() -> None:
    print("held", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    root, cache = sys.argv[1:]
    with Workspace.open(Path(root), encoder=CountingEncoder(hold), cache_dir=Path(cache)) as workspace:
        Session(workspace, lambda _: None).start()
        threading.Event().wait()
