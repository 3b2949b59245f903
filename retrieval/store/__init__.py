"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk.

What needs NumPy, SQLite or a lock file is imported on first use: a parse worker needs the analyzer alone, and starts in a third of
the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.lazy_names import lazy_names
from retrieval.store.analyzer import CJK, PART, WORD, composed, split_identifiers, stem, subwords, unaccented, words_of

if TYPE_CHECKING:
    from retrieval.store.bm25 import Bm25Index, Bm25Snapshot
    from retrieval.store.cache_paths import cache_folder, vectors_file, workspace_folder
    from retrieval.store.full_text import index_terms
    from retrieval.store.rows import (
        Applied,
        ChunkText,
        Counts,
        FileRow,
        FileUpdate,
        Header,
        NewChunk,
        Pending,
        passage_hash,
    )
    from retrieval.store.sqlite_errors import cannot_lock
    from retrieval.store.store import Store

_MODULES = {
    "bm25": ("Bm25Index", "Bm25Snapshot"),
    "cache_paths": ("cache_folder", "vectors_file", "workspace_folder"),
    "full_text": ("index_terms",),
    "rows": (
        "Applied",
        "ChunkText",
        "Counts",
        "FileRow",
        "FileUpdate",
        "Header",
        "NewChunk",
        "Pending",
        "passage_hash",
    ),
    "sqlite_errors": ("cannot_lock",),
    "store": ("Store",),
}

__all__ = [
    "CJK",
    "PART",
    "WORD",
    "Applied",
    "Bm25Index",
    "Bm25Snapshot",
    "ChunkText",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Header",
    "NewChunk",
    "Pending",
    "Store",
    "cache_folder",
    "cannot_lock",
    "composed",
    "index_terms",
    "passage_hash",
    "split_identifiers",
    "stem",
    "subwords",
    "unaccented",
    "vectors_file",
    "words_of",
    "workspace_folder",
]

if not TYPE_CHECKING:  # checkers would take any name for one of ours
    __getattr__ = lazy_names(__name__, _MODULES)
