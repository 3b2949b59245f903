"""From changed files to rows and vectors: plan, words, vectors; one writer at a time; the live vector index."""

from __future__ import annotations

from retrieval.indexing.chunk_jobs import Cancel, NullCancel
from retrieval.indexing.context import IndexingContext, IndexPlan, Progress
from retrieval.indexing.lock import writer_lock, writer_pid
from retrieval.indexing.overlay import Overlay
from retrieval.indexing.overlay_snapshot import OverlaidIndex, OverlaidRows
from retrieval.indexing.pipeline import (
    CHUNKING_KEY,
    INDEXED_KEY,
    SKIPPED_KEY,
    execute,
    plan,
    plan_paths,
    stored_rows,
)
from retrieval.indexing.vector_sync import VectorIndexSync
from retrieval.indexing.worker_pool import processors

__all__ = [
    "CHUNKING_KEY",
    "INDEXED_KEY",
    "SKIPPED_KEY",
    "Cancel",
    "IndexPlan",
    "IndexingContext",
    "NullCancel",
    "OverlaidIndex",
    "OverlaidRows",
    "Overlay",
    "Progress",
    "VectorIndexSync",
    "execute",
    "plan",
    "plan_paths",
    "processors",
    "stored_rows",
    "writer_lock",
    "writer_pid",
]
