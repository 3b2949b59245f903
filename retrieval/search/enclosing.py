"""The chunks that some lines of a file belong to: to offer them as similar to themselves would say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from retrieval.search.definitions import definition
from retrieval.types import Chunk


def enclosing_rows(chunks: Sequence[tuple[int, Chunk]], first: int, last: int) -> list[int]:
    """Rows of a file's chunks, in line order: those at lines `first` to `last`, the other parts of a function that is split, and
    the heads of the definitions around it.
    """
    at = [n for n, (_, chunk) in enumerate(chunks) if chunk.start_line <= last and chunk.end_line >= first]
    if not at:
        return []
    own = set(at) | set(_before(chunks, at[0])) | set(_behind(chunks, at[-1]))
    around = {name for n in own for name in accumulate(chunks[n][1].scope.split("."), "{}.{}".format)}
    return [row for n, (row, chunk) in enumerate(chunks) if n in own or (chunk.symbol and chunk.qualified in around)]


def _before(chunks: Sequence[tuple[int, Chunk]], n: int) -> list[int]:
    """The earlier parts of a definition whose part does not begin it."""
    parts: list[int] = []
    while n > 0 and _continues(chunks[n][1]) and chunks[n][1].qualified in _names(chunks[n - 1][1]):
        n -= 1
        parts.append(n)
    return parts


def _behind(chunks: Sequence[tuple[int, Chunk]], n: int) -> list[int]:
    parts: list[int] = []
    names = _names(chunks[n][1])
    for following in range(n + 1, len(chunks)):
        chunk = chunks[following][1]
        if chunk.qualified not in names or not _continues(chunk):
            break
        parts.append(following)
    return parts


def _names(chunk: Chunk) -> set[str]:
    return {symbol.qualified for symbol in chunk.symbols}


def _continues(chunk: Chunk) -> bool:
    """Whether a chunk is a later part of what it is named by: an overload begins with its own head."""
    return bool(chunk.symbol) and definition(chunk, chunk.symbol) is None
