"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk."""

from __future__ import annotations

from retrieval.store.analyzer import PART, WORD, split_identifiers, stem
from retrieval.store.bm25 import Bm25Index, Corpus
from retrieval.store.cache_paths import cache_folder, vectors_file, workspace_folder
from retrieval.store.full_text import index_terms
from retrieval.store.rows import Applied, Counts, FileRow, FileUpdate, Header, Pending, Piece, Words, passage_hash
from retrieval.store.store import Store
from retrieval.store.top_k import Place, first

__all__ = [
    "PART",
    "WORD",
    "Applied",
    "Bm25Index",
    "Corpus",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Header",
    "Pending",
    "Piece",
    "Place",
    "Store",
    "Words",
    "cache_folder",
    "first",
    "index_terms",
    "passage_hash",
    "split_identifiers",
    "stem",
    "vectors_file",
    "workspace_folder",
]
