"""Splits files into chunks: the spans that are embedded, searched and shown."""

from __future__ import annotations

from retrieval.chunking import boundaries
from retrieval.chunking.chunker import CHUNKING_VERSION, chunk_file, passage
from retrieval.chunking.languages import extension_of, language_of
from retrieval.chunking.line_index import lines_of, lines_with_breaks

__all__ = [
    "CHUNKING_VERSION",
    "boundaries",
    "chunk_file",
    "extension_of",
    "language_of",
    "lines_of",
    "lines_with_breaks",
    "passage",
]
