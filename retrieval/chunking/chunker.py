"""From a file's text to its chunks, and from a chunk to the passage that the encoder reads.

Choices: chunks are whole lines and do not overlap, so every line that is not blank is in exactly one chunk, and `text`
is always the file's bytes from `start_byte` to `end_byte`. A class that is too long becomes its outline (header,
docstring, fields up to the first member) and its members. Three exceptions, each with its reason where it is made:
notebooks (see notebooks.py), lines of thousands of characters, and big files of data, of which the beginning is kept.
"""

from __future__ import annotations

from retrieval.chunking import grammars
from retrieval.chunking.languages import language_of
from retrieval.chunking.line_index import Lines
from retrieval.chunking.notebooks import notebook_chunks
from retrieval.chunking.outline import Cut, Label, Outline
from retrieval.chunking.packing import Piece, pack
from retrieval.chunking.parsing import ParseTimeout, parse
from retrieval.chunking.patterns import cuts_of
from retrieval.types import Chunk

# One line per bump: what would be cut differently.
# 1: first version
CHUNKING_VERSION = 1

LONGEST_CHUNK = 6000  # bytes; only lines far longer than any that people write make chunks like that
LONG_LINE_PARTS = 8  # of such a chunk are kept: it is data or generated, and its beginning says what it is
# Chunks of a file of data: nobody searches the ten-thousandth row by meaning, and it would crowd out code.
DATA_CHUNKS = {"json": 40, "csv": 10, "xml": 60, "yaml": 120, "toml": 120, "text": 200, "diff": 60, "html": 200}


def chunk_file(path: str, text: str) -> list[Chunk]:
    """The chunks of one file in line order. Never raises on broken code; the same text gives the same chunks."""
    try:
        return chunks_of(path, text)
    except ParseTimeout:
        return chunks_of(path, text, parsed=False)


def chunks_of(path: str, text: str, *, parsed: bool = True) -> list[Chunk]:
    """The same, without a parser where it must not be `parsed`. Raises ParseTimeout."""
    lines = Lines(text)
    if not lines.count:
        return []
    language = language_of(path, text[:300].partition("\n")[0])
    if language == "notebook":
        cells = notebook_chunks(path, lines) if parsed else None
        if cells is not None:
            return cells
        language = "json"
    pieces = pack(lines, _cuts(language, lines, parsed=parsed))[: DATA_CHUNKS.get(language)]
    return [chunk for piece in pieces for chunk in _chunks(path, language, lines, piece)]


def passage(chunk: Chunk) -> str:
    """What the encoder reads: path, qualified name, code."""
    qualified = chunk.qualified
    return f"{chunk.path}\n{qualified}\n{chunk.text}" if qualified else f"{chunk.path}\n{chunk.text}"


def _cuts(language: str, lines: Lines, *, parsed: bool = True) -> list[Cut]:
    root = parse(language, lines.data) if parsed else None
    if root is not None:
        return Outline(lines, grammars.GRAMMARS[language]).walk(root)
    cutter = cuts_of(language)
    return cutter(lines) if cutter is not None else [Cut(0, Label("window"), 0)]


def _chunks(path: str, language: str, lines: Lines, piece: Piece) -> list[Chunk]:
    start, stop = lines.span(piece.first, piece.end)
    label = piece.label
    symbol = label.symbol if 2 * piece.named >= piece.weight else ""
    spans = _parts(lines.data, start, stop) if stop - start > LONGEST_CHUNK else [(start, stop)]
    return [
        Chunk(
            path, language, label.kind, symbol, label.scope, lines.at(first) + 1, lines.at(max(first, end - 1)) + 1,
            first, end, lines.data[first:end].decode("utf-8", "replace"),
        )
        for first, end in spans
    ]  # fmt: skip


def _parts(data: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """The first parts of a span with very long lines, cut between characters."""
    spans: list[tuple[int, int]] = []
    while start < stop and len(spans) < LONG_LINE_PARTS:
        end = min(start + LONGEST_CHUNK, stop)
        while end < stop and data[end] & 0xC0 == 0x80:
            end -= 1
        spans.append((start, end))
        start = end
    return spans
