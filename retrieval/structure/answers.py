"""What is asked about a symbol, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retrieval.types import NO_FILTERS, Filters, Freshness, Location

Relation = Literal["callers", "callees", "references"]
RELATIONS: tuple[Relation, ...] = ("callers", "callees", "references")
# How well a use is known to mean a definition, best first: "certain" where scope or an import says so, or no other definition of
# the name can be meant; "likely" where it is the only one in the index, or the nearest; "by name" where only the name is the same.
Certainty = Literal["certain", "likely", "by name"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "by name")


@dataclass(frozen=True, slots=True)
class SymbolRequest:
    """A relation of a symbol: `name`, `Scope.name`, or what is defined around a line of a file. Filters limit where uses are."""

    relation: Relation
    symbol: str = ""
    location: Location | None = None
    filters: Filters = NO_FILTERS
    limit: int = 50


@dataclass(frozen=True, slots=True)
class SymbolDefinition:
    """Where a symbol is defined. `line` is that of its name."""

    path: str
    language: str
    kind: str  # "function", "method", "class"; "block" for a variable
    name: str
    scope: str
    first_line: int
    last_line: int
    line: int

    @property
    def qualified(self) -> str:
        return f"{self.scope}.{self.name}" if self.scope else self.name


@dataclass(frozen=True, slots=True)
class Usage:
    """A place where a symbol is used, or (of callees) what is called and where that is defined."""

    path: str
    line: int
    kind: str  # "call", "import", "mention" or "definition"
    symbol: str  # of callers: the definition around the line; of callees: what is called
    first_line: int  # of that definition, 0 outside of all
    last_line: int
    text: str  # the line
    certainty: Certainty
    calls: tuple[int, ...] = ()  # of callees: the lines of the caller that call it


@dataclass(frozen=True, slots=True)
class SymbolAnswer:
    """Uses, the best known first. `near` are names like one that is not there, `unresolved` names that are called and not in the
    index; `total` counts all usages, of which `limit` are given.
    """

    relation: Relation
    symbol: str
    definitions: tuple[SymbolDefinition, ...]
    usages: tuple[Usage, ...]
    total: int
    freshness: Freshness
    seconds: float = 0.0
    near: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
