"""Files as chunks: the spans that are embedded, searched and shown."""

from __future__ import annotations

from retrieval.chunking import borders
from retrieval.chunking.chunker import CHUNKING_VERSION, chunk_file, passage
from retrieval.chunking.languages import extension_of, language_of
from retrieval.chunking.lines import lines_of

__all__ = ["CHUNKING_VERSION", "borders", "chunk_file", "extension_of", "language_of", "lines_of", "passage"]
