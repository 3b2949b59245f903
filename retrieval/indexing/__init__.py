"""From changed files to rows and vectors: plan, words, vectors; one writer at a time; the live vector index.

Everything is imported on first use: a parse worker is a module of this package and needs next to nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.lazy_names import lazy_names

if TYPE_CHECKING:
    from retrieval.indexing.cancel import Cancel, NullCancel
    from retrieval.indexing.context import IndexingContext, IndexPlan, Progress, VectorSource
    from retrieval.indexing.cpu import processors
    from retrieval.indexing.lock import writer_lock, writer_pid
    from retrieval.indexing.overlay import Overlay
    from retrieval.indexing.overlay_snapshot import OverlaidIndex, OverlaidRows
    from retrieval.indexing.pipeline import (
        CHUNKING_KEY,
        INDEXED_KEY,
        SKIPPED_KEY,
        TEXT_VERSION,
        execute,
        plan,
        plan_paths,
        stored_rows,
    )
    from retrieval.indexing.vector_sync import VectorIndexSync

_MODULES = {
    "cancel": ("Cancel", "NullCancel"),
    "context": ("IndexingContext", "IndexPlan", "Progress", "VectorSource"),
    "cpu": ("processors",),
    "lock": ("writer_lock", "writer_pid"),
    "overlay": ("Overlay",),
    "overlay_snapshot": ("OverlaidIndex", "OverlaidRows"),
    "pipeline": (
        "CHUNKING_KEY",
        "INDEXED_KEY",
        "SKIPPED_KEY",
        "TEXT_VERSION",
        "execute",
        "plan",
        "plan_paths",
        "stored_rows",
    ),
    "vector_sync": ("VectorIndexSync",),
}

__all__ = [
    "CHUNKING_KEY",
    "INDEXED_KEY",
    "SKIPPED_KEY",
    "TEXT_VERSION",
    "Cancel",
    "IndexPlan",
    "IndexingContext",
    "NullCancel",
    "OverlaidIndex",
    "OverlaidRows",
    "Overlay",
    "Progress",
    "VectorIndexSync",
    "VectorSource",
    "execute",
    "plan",
    "plan_paths",
    "processors",
    "stored_rows",
    "writer_lock",
    "writer_pid",
]

if not TYPE_CHECKING:  # checkers would take any name for one of ours
    __getattr__ = lazy_names(__name__, _MODULES)
