"""Splits a file's text into chunks.

Choices: chunks are whole lines and do not overlap, so every non-blank line is in exactly one chunk, and `text`
is always the file's bytes from `start_byte` to `end_byte`. A class that is too long is split into its outline (header,
docstring, fields up to the first member) and its members. The parts of a file with several languages are cut each by its own
(embedded/). Three exceptions, each explained where it
is made: notebooks (see notebooks.py), lines of thousands of characters, and large data files, of which only the beginning
is indexed.
"""

from __future__ import annotations

from collections import Counter

from retrieval.chunking.languages import language_of
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.notebooks import notebook_chunks
from retrieval.chunking.packing import ChunkSpan, pack
from retrieval.chunking.parsing import ParseTimeout
from retrieval.chunking.split_points import split_points_of
from retrieval.chunking.structure import FileStructure
from retrieval.types import Chunk

MAX_CHUNK_BYTES = 6000  # bytes; only lines far longer than hand-written ones reach it
MAX_LONG_LINE_PARTS = 8  # of such a chunk are indexed: it is data or generated, and its beginning says what it is
# Chunks per data file: nobody searches for the ten-thousandth row by meaning, and it would crowd out code.
MAX_DATA_CHUNKS = {"json": 40, "csv": 10, "xml": 60, "yaml": 120, "toml": 120, "text": 200, "diff": 60, "html": 200}


def chunk_file(path: str, text: str) -> list[Chunk]:
    """The chunks of one file in line order. Never raises on broken code; the same text gives the same chunks."""
    try:
        return chunks_of(path, text)
    except ParseTimeout:
        return chunks_of(path, text, parsed=False)


def chunks_of(
    path: str, text: str, *, parsed: bool = True, language: str = "", structure: FileStructure | None = None
) -> list[Chunk]:
    """As `chunk_file`, without a parser unless `parsed`, in this language where it is known; what the file defines and calls is
    added to `structure`. Raises ParseTimeout.
    """
    lines = LineIndex(text)
    if not lines.count:
        return []
    language = language or language_of(path, text)
    if language == "notebook":
        cells = notebook_chunks(path, lines) if parsed else None
        if cells is not None:
            return cells
        language = "json"
    split_points = split_points_of(language, lines, parsed=parsed, structure=structure)
    chunk_spans = _within_limits(language, pack(lines, split_points))
    return [chunk for chunk_span in chunk_spans for chunk in _chunks(path, language, lines, chunk_span)]


def _within_limits(language: str, chunk_spans: list[ChunkSpan]) -> list[ChunkSpan]:
    """The first chunks of each language that is data, and all others."""
    counts: Counter[str] = Counter()
    kept = []
    for chunk_span in chunk_spans:
        part = chunk_span.label.language or language
        counts[part] += 1
        if counts[part] <= MAX_DATA_CHUNKS.get(part, counts[part]):
            kept.append(chunk_span)
    return kept


def _chunks(path: str, language: str, lines: LineIndex, chunk_span: ChunkSpan) -> list[Chunk]:
    start, stop = lines.span(chunk_span.first, chunk_span.end)
    label = chunk_span.label
    symbol = label.symbol if 2 * chunk_span.named >= chunk_span.weight else ""
    language = label.language or language
    spans = _split_long_lines(lines.data, start, stop) if stop - start > MAX_CHUNK_BYTES else [(start, stop)]
    return [
        Chunk(
            path, language, label.kind, symbol, label.scope, lines.line_at(first) + 1, lines.line_at(max(first, end - 1)) + 1,
            first, end, lines.data[first:end].decode("utf-8", "replace"), chunk_span.symbols() if len(spans) == 1 else (),
        )
        for first, end in spans
    ]  # fmt: skip


def _split_long_lines(data: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """The first parts of a span with very long lines, split between characters."""
    spans: list[tuple[int, int]] = []
    while start < stop and len(spans) < MAX_LONG_LINE_PARTS:
        end = min(start + MAX_CHUNK_BYTES, stop)
        while end < stop and data[end] & 0xC0 == 0x80:
            end -= 1
        spans.append((start, end))
        start = end
    return spans
