"""Where indexes are kept: one folder a workspace, and one file of vectors for all of them.

    <cache>/vectors.db
    <cache>/workspaces/<name>-<hash of the resolved root>/{index.db, graph-<fingerprint>.hnsw, writer.lock, root.json}

<cache> is what the caller names, else C2LLM_CACHE_DIR, else the system's cache folder for this program. Two worktrees
of a repository are two workspaces and share the vectors.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

CACHE_VARIABLE = "C2LLM_CACHE_DIR"
APP = "c2llm-lsp"


def cache_folder(given: Path | None = None) -> Path:
    """The folder that holds everything."""
    if given is not None:
        return Path(given).expanduser()
    variable = os.environ.get(CACHE_VARIABLE)
    if variable:
        return Path(variable).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def vectors_file(given: Path | None = None) -> Path:
    return cache_folder(given) / "vectors.db"


def workspace_folder(root: Path, given: Path | None = None) -> Path:
    """The folder of one workspace; `root` must be resolved."""
    name = _UNSAFE.sub("_", root.name)[:40] or "root"
    return (
        cache_folder(given) / "workspaces" / f"{name}-{hashlib.blake2b(os.fsencode(root), digest_size=8).hexdigest()}"
    )
