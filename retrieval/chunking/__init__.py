"""Files as chunks: the spans that are embedded, searched and shown."""

from __future__ import annotations

from retrieval.chunking.chunker import CHUNKING_VERSION, chunk_file, passage
from retrieval.chunking.languages import language_of

__all__ = ["CHUNKING_VERSION", "chunk_file", "language_of", "passage"]
