"""From what is asked, a name or a place, to definitions; and names like one that is not there."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from retrieval.chunking.structure import unpack
from retrieval.errors import QueryError
from retrieval.indexing import OverlaidRows
from retrieval.store import split_identifiers
from retrieval.structure.answers import SymbolDefinition
from retrieval.structure.relations import definitions_named, symbol_definition
from retrieval.types import Location

MAX_NEAR = 5
MAX_BEGINNING = 500  # names with the same first letters
MIN_ALIKE = 0.6  # of two names, by the letters that they share in their order
_NAME_WEIGHTS = (1.0, 0.0, 0.0)  # of the full text: names alone
_SEPARATORS = re.compile(r"::|->|[.#/\\:]")


def split_symbol(symbol: str) -> tuple[str, str]:
    """`Store.apply()` -> ("Store", "apply"). Raises QueryError for what is no name."""
    parts = [part for part in _SEPARATORS.split(symbol.strip().removesuffix("()").strip()) if part]
    if not parts or any(part.split() != [part] for part in parts):
        raise QueryError(f"'{symbol}' is not a symbol; give a name such as apply, Store.apply, or FILE:LINE.")
    return ".".join(parts[:-1]), parts[-1]


def definitions_of(rows: OverlaidRows, symbol: str) -> list[SymbolDefinition]:
    """The definitions of a name, with the scope that is asked for where one is. Raises QueryError for what is no name."""
    scope, name = split_symbol(symbol)
    found = definitions_named(rows, name)
    return [one for one in found if not scope or f".{one.scope}".endswith(f".{scope}")]


def definition_at(rows: OverlaidRows, location: Location) -> SymbolDefinition:
    """The innermost definition around a line. Raises QueryError where there is none."""
    data = rows.structure_of(location.path)
    chunks = rows.file_chunks(location.path)
    if data is None or not chunks:
        raise QueryError(f"{location.path} is not indexed: it may be ignored, empty or not there.")
    line = location.first_line
    around = [d for d in unpack(data).definitions if d.first <= line <= d.last]
    if not around:
        raise QueryError(f"Nothing is defined around {location.path}:{line}; give the line of a function or type.")
    language = next((c.language for _, c in chunks if c.start_line <= line <= c.end_line), chunks[0][1].language)
    return symbol_definition(location.path, language, max(around, key=lambda d: (d.first, -d.last)))


def names_near(rows: OverlaidRows, symbol: str) -> list[str]:
    """Names of the index that are like one that is not there, the most alike first."""
    _, name = split_symbol(symbol)
    candidates = {spelled for _, spelled in rows.by_symbol([name])}
    for begin in {name[:2], name[:2].lower(), name[:2].capitalize()}:
        candidates |= set(rows.defined_names(begin, MAX_BEGINNING))
    words = list(dict.fromkeys(split_identifiers(name).split()))
    ids = [row for row, _ in rows.lexical(words, 50, _NAME_WEIGHTS)] if words else []
    for chunk in rows.chunks(ids).values():
        candidates |= {s.name for s in chunk.symbols} | {chunk.symbol}
    alike = {one: _likeness(name, one) for one in candidates - {"", name}}
    return [one for one in sorted(alike, key=lambda one: (-alike[one], one)) if alike[one] >= MIN_ALIKE][:MAX_NEAR]


def _likeness(name: str, other: str) -> float:
    one, two = (each.replace("_", "").lower()[:80] for each in (name, other))
    if one == two:
        return 1.0
    return 0.9 if two.startswith(one) else SequenceMatcher(None, one, two).ratio()
