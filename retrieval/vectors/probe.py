"""Whether hnswlib can be used here.

It is compiled for the machine that builds it, and a build that has travelled dies with an illegal instruction, taking
the process with it. So it is tried once in a process of its own, and the result is remembered for this CPU, this build
and this Python. The process is isolated (see retrieval/processes), and a result counts only if it tried the very file that would be
imported here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from retrieval.bounded_files import read_json
from retrieval.errors import StoreError
from retrieval.private_files import private_cache, write_private
from retrieval.processes.helpers import run

ORIGIN = "import importlib.util as u; s = u.find_spec('hnswlib'); print(s.origin if s else '', flush=True)\n"
TRIAL = """
import hnswlib, numpy as np
rows = np.eye(32, dtype=np.float32)
graph = hnswlib.Index(space="ip", dim=32)
graph.init_index(max_elements=32)
graph.add_items(rows, np.arange(32))
assert graph.knn_query(rows[:1], k=1)[0][0][0] == 0
"""
_TRIAL_SECONDS = 60
_MEMORY_FILE = "hnswlib.json"
_MAX_BYTES = 64 * 1024
_RECIPE = 2  # results of 1 may be those of another file: its trial imported from the current directory
_INSTALL = "pip install 'c2llm-lsp[hnsw]' (needs a C++ compiler and Python's headers)"


@cache
def hnsw_problem(cache_dir: Path | None = None) -> str:
    """Why hnswlib cannot be used, in one sentence that says what to type; "" where it can. Asked once a process."""
    spec = importlib.util.find_spec("hnswlib")
    if spec is None or spec.origin is None:
        return f"hnswlib is not installed, large workspaces are searched exactly, which is slower: {_INSTALL}."
    key = _key(Path(spec.origin))
    memory = cache_dir / _MEMORY_FILE if cache_dir else None
    remembered = _recall(memory, key)
    if remembered is not None:
        return remembered
    try:
        problem = _try(spec.origin)
    except OSError as error:  # a busy machine, or another file of this name: no result, so nothing to remember
        return f"hnswlib could not be tried ({error}), large workspaces are searched exactly, which is slower."
    _remember(memory, key, problem)
    return problem


def _try(origin: str) -> str:
    """Build and ask a tiny graph in a process of its own. Raises OSError where nothing was learnt of this file."""
    done = run(ORIGIN + TRIAL, seconds=_TRIAL_SECONDS)
    tried = done.out.partition("\n")[0].strip()
    if tried != origin:
        raise FileNotFoundError(f"a helper process finds {tried or 'nothing'} in place of {origin}")
    if done.code == 0:
        return ""
    last = (done.err.strip().splitlines() or [""])[-1]
    reason = last or ("it was built for another CPU" if done.code < 0 else f"exit code {done.code}")
    return (
        f"hnswlib does not work here ({reason}), large workspaces are searched exactly, which is slower: "
        "build it for this machine with HNSWLIB_NO_NATIVE=1 pip install --no-binary hnswlib --force-reinstall hnswlib."
    )


def _key(origin: Path) -> str:
    status = origin.stat()
    parts = (_RECIPE, str(origin), status.st_size, status.st_mtime_ns, sys.version, _cpu())
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _cpu() -> str:
    """What the CPU is and can do."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return f"{platform.machine()} {os.environ.get('PROCESSOR_IDENTIFIER', '')}"


def _recall(memory: Path | None, key: str) -> str | None:
    if memory is None:
        return None
    try:
        known = read_json(memory, _MAX_BYTES)
        return str(known["problem"]) if known["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(memory: Path | None, key: str, problem: str) -> None:
    """Keep the result; where that is not possible it is tried again next time."""
    if memory is None:
        return
    with suppress(OSError, StoreError):
        private_cache(memory.parent)
        write_private(memory, json.dumps({"key": key, "problem": problem}))
