"""From a file's text to its chunks, and from a chunk to the passage that the encoder reads.

Choices: chunks are whole lines and do not overlap, so every line that is not blank is in exactly one chunk and `text`
is always the file's bytes from `start_byte` to `end_byte`. A class that is too long is its outline (header, docstring, fields up to
the first member) and a chunk for each member. Whatever goes wrong with a grammar, line windows are the answer.
"""

from __future__ import annotations

from retrieval.chunking.grammars import GRAMMARS, load
from retrieval.chunking.languages import language_of
from retrieval.chunking.lines import Lines
from retrieval.chunking.outline import Cut, Label, Outline
from retrieval.chunking.packing import Piece, pack
from retrieval.types import Chunk

CHUNKING_VERSION = 1


def chunk_file(path: str, text: str) -> list[Chunk]:
    """The chunks of one file in line order. Never raises on broken code; the same text gives the same chunks."""
    lines = Lines(text)
    if not lines.count:
        return []
    language = language_of(path, text[:300].partition("\n")[0])
    cuts = _cuts(language, lines)
    return [_chunk(path, language, lines, piece) for piece in pack(lines, cuts)]


def passage(chunk: Chunk) -> str:
    """What the encoder reads: path, qualified name, code."""
    qualified = chunk.qualified
    return f"{chunk.path}\n{qualified}\n{chunk.text}" if qualified else f"{chunk.path}\n{chunk.text}"


def _cuts(language: str, lines: Lines) -> list[Cut]:
    grammar = load(language)
    if grammar is None:
        return [Cut(0, Label("window"), 0)]
    from tree_sitter import Parser

    tree = Parser(grammar).parse(lines.data)
    return Outline(lines, GRAMMARS[language]).walk(tree.root_node)


def _chunk(path: str, language: str, lines: Lines, piece: Piece) -> Chunk:
    start, stop = lines.span(piece.first, piece.end)
    label = piece.label
    symbol = label.symbol if 2 * piece.named >= piece.weight else ""
    text = lines.data[start:stop].decode("utf-8", "replace")
    return Chunk(path, language, label.kind, symbol, label.scope, piece.first + 1, piece.end, start, stop, text)
