"""Which of a chunk's definitions a hit is about.

A chunk may hold several small definitions, or a class with its first method, under one name. A hit tells the name that was
found: the one that the query names, else the one that says most of the query's words. Where the query is nothing but the
name, the hit's lines are those of its definition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from retrieval.chunking import lines_of
from retrieval.search.highlighting import term_share
from retrieval.types import Chunk, Symbol

# Lines of a definition that are compared with the query: those of definitions that share a chunk are few.
_LINES = 60


def named_symbols(chunk: Chunk, name: str, kinds: Collection[str] = ()) -> tuple[Symbol, ...]:
    """The definitions of a name in a chunk, of these kinds if any: in its own case where there is one, else in another."""
    symbols = [symbol for symbol in chunk.symbols if not kinds or symbol.kind in kinds]
    exact = tuple(symbol for symbol in symbols if symbol.name == name)
    return exact or tuple(symbol for symbol in symbols if symbol.name.lower() == name.lower())


def about(chunk: Chunk, symbol: Symbol) -> Chunk:
    """The chunk under the name of one of its definitions."""
    return replace(chunk, symbol=symbol.name, kind=symbol.kind, scope=symbol.scope)


def own_lines(chunk: Chunk, name: str) -> tuple[int, int] | None:
    """The lines of the definitions of a name; None where they are all of the chunk, or the beginning of more."""
    symbols = named_symbols(chunk, name)
    if not symbols or not is_line_by_line(chunk):
        return None
    first, last = min(s.start_line for s in symbols), max(s.end_line for s in symbols)
    outside = [s for s in chunk.symbols if not first <= s.start_line <= s.end_line <= last]
    inside = {symbol.qualified for symbol in symbols}
    if not outside or any(s.scope == scope or s.scope.startswith(f"{scope}.") for s in outside for scope in inside):
        return None  # the header of a class, with members that are not within these lines
    return first, last


def is_line_by_line(chunk: Chunk) -> bool:
    """Whether its text has the lines of its file, as that of a notebook's cell need not."""
    return chunk.kind != "cell" or len(lines_of(chunk.text)) == chunk.end_line - chunk.start_line + 1


def best_symbol(chunk: Chunk, idf: dict[str, float], kinds: Collection[str]) -> Symbol | None:
    """The one of several definitions beside each other that says most of the query; None where none does. One of these kinds,
    where any are asked for and the chunk is of another.
    """
    is_inside = bool(kinds) and chunk.kind not in kinds
    beside = chunk.symbols if is_inside else _outermost(chunk.symbols)
    outer = [symbol for symbol in beside if not kinds or symbol.kind in kinds]
    if len(outer) < 2 or not idf:
        return outer[0] if outer and is_inside else None
    lines = lines_of(chunk.text)
    shares = [_share(lines, chunk.start_line, symbol, idf) for symbol in outer]
    best = max(shares)
    return outer[shares.index(best)] if is_inside or (best > 0 and shares.count(best) == 1) else None


def _outermost(symbols: Sequence[Symbol]) -> list[Symbol]:
    outer: list[Symbol] = []
    for symbol in symbols:
        if not outer or symbol.end_line > outer[-1].end_line:
            outer.append(symbol)
    return outer


def _share(lines: Sequence[str], start: int, symbol: Symbol, idf: dict[str, float]) -> float:
    own = lines[symbol.start_line - start : symbol.end_line - start + 1][:_LINES]
    return term_share("\n".join(own), idf) + term_share(f"{symbol.name} ___", idf)
