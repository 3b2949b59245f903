"""What is known of one grammar: the meaning of its node types, as data. The tables are in grammars.py and more_grammars.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal[
    "function", "class", "impl", "scope", "variable", "prototype", "wrapper", "leading", "valued", "package", "continued"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grammar:
    """The tables of one language."""

    module: str
    roles: Mapping[str, Role]
    loader: str = "language"
    function_values: frozenset[str] = frozenset()
    class_values: frozenset[str] = frozenset()  # also: anonymous ones open a new scope for members
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # valued type -> fields of name and value
    names: Mapping[str, str] = field(default_factory=dict)  # type -> field that holds the name, where not "name"
    # type -> types of the children that lead to its name, the last one the name itself, up to a bracket or a blank; a type
    # here without such children defines nothing
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    continues: bool = False  # has nodes that continue a definition
    extra: str = ""  # the extra of this package that brings the grammar; "" for those that are always installed
    bodies: frozenset[str] = frozenset()  # what holds definitions, however short it is
    comments_inside: bool = False  # a comment above a definition is a part of the node before
    clauses: bool = False  # a function is several definitions of one name, one below the other
    data: bool = False  # holds data, not code: less of a big file is indexed


def roles(**types: str) -> dict[str, Role]:
    """Roles of node types, from the types of each role."""
    table: dict[str, Role] = {}
    for role, names in types.items():
        for name in names.split():
            table[name] = role  # type: ignore[assignment]
    return table
