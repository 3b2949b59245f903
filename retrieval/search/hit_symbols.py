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


def named_symbols(chunk: Chunk, name: str) -> tuple[Symbol, ...]:
    """The definitions of a name in a chunk: in its own case where there is one, else in another."""
    exact = tuple(symbol for symbol in chunk.symbols if symbol.name == name)
    return exact or tuple(symbol for symbol in chunk.symbols if symbol.name.lower() == name.lower())


def about(chunk: Chunk, symbol: Symbol) -> Chunk:
    """The chunk under the name of one of its definitions."""
    return replace(chunk, symbol=symbol.name, kind=symbol.kind, scope=symbol.scope)


def own_lines(chunk: Chunk, name: str) -> tuple[int, int] | None:
    """The lines of the definitions of a name; None where they are all of the chunk, or the beginning of more."""
    symbols = named_symbols(chunk, name)
    if not symbols:
        return None
    first, last = min(s.start_line for s in symbols), max(s.end_line for s in symbols)
    outside = [s for s in chunk.symbols if not first <= s.start_line <= s.end_line <= last]
    inside = {symbol.qualified for symbol in symbols}
    if not outside or any(s.scope == scope or s.scope.startswith(f"{scope}.") for s in outside for scope in inside):
        return None  # the header of a class, with members that are not within these lines
    return first, last


def best_symbol(chunk: Chunk, idf: dict[str, float], kinds: Collection[str]) -> Symbol | None:
    """The one of several definitions beside each other that says most of the query; None where none does."""
    outer = [symbol for symbol in _outermost(chunk.symbols) if not kinds or symbol.kind in kinds]
    if len(outer) < 2:
        return None
    lines = lines_of(chunk.text)
    shares = [_share(lines, chunk.start_line, symbol, idf) for symbol in outer]
    best = max(shares)
    return outer[shares.index(best)] if best > 0 and shares.count(best) == 1 else None


def _outermost(symbols: Sequence[Symbol]) -> list[Symbol]:
    outer: list[Symbol] = []
    for symbol in symbols:
        if not outer or symbol.end_line > outer[-1].end_line:
            outer.append(symbol)
    return outer


def _share(lines: Sequence[str], start: int, symbol: Symbol, idf: dict[str, float]) -> float:
    own = lines[symbol.start_line - start : symbol.end_line - start + 1][:_LINES]
    return term_share("\n".join(own), idf) + term_share(f"{symbol.name} ___", idf)
