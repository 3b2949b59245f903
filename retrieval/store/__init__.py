"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk."""

from __future__ import annotations

from retrieval.store.globs import Globs
from retrieval.store.lexicon import K1, B
from retrieval.store.places import cache_folder, vectors_file, workspace_folder
from retrieval.store.rows import Applied, Counts, FileRow, FileUpdate, Pending, Piece, Words, passage_hash
from retrieval.store.store import Store
from retrieval.store.words import PART, WORD, split_identifiers, stem

__all__ = [
    "K1",
    "PART",
    "WORD",
    "Applied",
    "B",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Globs",
    "Pending",
    "Piece",
    "Store",
    "Words",
    "cache_folder",
    "passage_hash",
    "split_identifiers",
    "stem",
    "vectors_file",
    "workspace_folder",
]
