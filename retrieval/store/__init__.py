"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk."""

from __future__ import annotations

from retrieval.store.analyzer import PART, WORD, split_identifiers, stem
from retrieval.store.bm25 import Corpus, Lexicon
from retrieval.store.cache_paths import cache_folder, vectors_file, workspace_folder
from retrieval.store.full_text import words_only
from retrieval.store.rows import Applied, Counts, FileRow, FileUpdate, Header, Pending, Piece, Words, passage_hash
from retrieval.store.store import Store
from retrieval.store.top_k import Place, first

__all__ = [
    "PART",
    "WORD",
    "Applied",
    "Corpus",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Header",
    "Lexicon",
    "Pending",
    "Piece",
    "Place",
    "Store",
    "Words",
    "cache_folder",
    "first",
    "passage_hash",
    "split_identifiers",
    "stem",
    "vectors_file",
    "words_only",
    "workspace_folder",
]
