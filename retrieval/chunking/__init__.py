"""Splits files into chunks: the spans that are embedded, searched and shown.

Everything is imported on first use: a search of an index that is current parses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.lazy_names import lazy_names

if TYPE_CHECKING:
    from retrieval.chunking.chunker import chunk_file
    from retrieval.chunking.languages import extension_of, language_of
    from retrieval.chunking.line_index import lines_of, lines_with_breaks
    from retrieval.chunking.passages import passage
    from retrieval.chunking.version import CHUNKING_VERSION, STRUCTURE_VERSION

_MODULES = {
    "chunker": ("chunk_file",),
    "languages": ("extension_of", "language_of"),
    "line_index": ("lines_of", "lines_with_breaks"),
    "passages": ("passage",),
    "version": ("CHUNKING_VERSION", "STRUCTURE_VERSION"),
}

__all__ = [
    "CHUNKING_VERSION",
    "STRUCTURE_VERSION",
    "chunk_file",
    "extension_of",
    "language_of",
    "lines_of",
    "lines_with_breaks",
    "passage",
]

if not TYPE_CHECKING:  # checkers would take any name for one of ours
    __getattr__ = lazy_names(__name__, _MODULES)
