"""How a file is cut, for people and tests: one part for each definition, in line order, without overlaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.types import Chunk, ChunkKind, Symbol


@dataclass(frozen=True, slots=True)
class ListedPart:
    """Some lines of a chunk that are one definition, or statements between definitions."""

    chunk: int  # number of the chunk within the file, from 0: small definitions share one
    language: str
    kind: ChunkKind
    scope: str
    symbol: str
    start_line: int
    end_line: int


def parts_of(chunks: Sequence[Chunk]) -> list[ListedPart]:
    """The parts of a file's chunks."""
    return [part for number, chunk in enumerate(chunks) for part in _parts(number, chunk)]


def _parts(number: int, chunk: Chunk) -> Iterator[ListedPart]:
    outer = _outermost(chunk.symbols)
    if not outer or (chunk.kind == "cell" and len(outer) == 1):
        yield ListedPart(
            number, chunk.language, chunk.kind, chunk.scope, chunk.symbol, chunk.start_line, chunk.end_line
        )
        return
    lines = chunk.text.split("\n")
    line = chunk.start_line
    for symbol in outer:
        yield from _between(number, chunk, lines, line, symbol.start_line - 1)
        yield ListedPart(
            number, chunk.language, symbol.kind, symbol.scope, symbol.name, symbol.start_line, symbol.end_line
        )
        line = symbol.end_line + 1
    yield from _between(number, chunk, lines, line, chunk.end_line)


def _between(number: int, chunk: Chunk, lines: Sequence[str], first: int, last: int) -> Iterator[ListedPart]:
    """The lines of no definition, if they are not blank."""

    def is_blank(line: int) -> bool:
        at = line - chunk.start_line
        return at >= len(lines) or not lines[at].strip()

    while first <= last and is_blank(first):
        first += 1
    while last >= first and is_blank(last):
        last -= 1
    if first <= last:
        yield ListedPart(
            number, chunk.language, "cell" if chunk.kind == "cell" else "block", chunk.scope, "", first, last
        )


def _outermost(symbols: Sequence[Symbol]) -> list[Symbol]:
    outer: list[Symbol] = []
    for symbol in symbols:
        if not outer or symbol.start_line > outer[-1].end_line:
            outer.append(symbol)
    return outer
