"""SQLite is the truth: files, chunks, words and vectors. See schema.py for what is on disk."""

from __future__ import annotations

from retrieval.store.rows import Applied, Counts, FileRow, FileUpdate, Pending, Piece, passage_hash
from retrieval.store.store import Store
from retrieval.store.words import split_identifiers

__all__ = [
    "Applied",
    "Counts",
    "FileRow",
    "FileUpdate",
    "Pending",
    "Piece",
    "Store",
    "passage_hash",
    "split_identifiers",
]
