"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk."""

from __future__ import annotations

from retrieval.store.analyzer import PART, WORD, split_identifiers, stem
from retrieval.store.bm25 import Bm25Index, Bm25Snapshot
from retrieval.store.cache_paths import cache_folder, vectors_file, workspace_folder
from retrieval.store.full_text import index_terms
from retrieval.store.rows import Applied, Counts, FileRow, FileUpdate, Header, NewChunk, Pending, Words, passage_hash
from retrieval.store.sqlite_errors import cannot_lock
from retrieval.store.store import Store
from retrieval.store.top_k import SortKey, top_k

__all__ = [
    "PART",
    "WORD",
    "Applied",
    "Bm25Index",
    "Bm25Snapshot",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Header",
    "NewChunk",
    "Pending",
    "SortKey",
    "Store",
    "Words",
    "cache_folder",
    "cannot_lock",
    "index_terms",
    "passage_hash",
    "split_identifiers",
    "stem",
    "top_k",
    "vectors_file",
    "workspace_folder",
]
