"""What a node of a parse tree defines, and how its name is read from the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NAME = 120
_SPACE = re.compile(r"\s+")
_SEPARATOR = re.compile(r"::|->|[.:\\]")
_OPERATOR = re.compile(
    r"(?:^|(?<=::))operator\b(?!::)"
)  # `A::operator->`, `operator bool`: the marks belong to the name
_TYPE_ARGUMENTS = re.compile(r"<[^<>]*>")


class Definition(NamedTuple):
    """The definition at a node. `inner` is the node whose children are its content."""

    role: str  # "function", "class", "impl", "scope", "variable" or "prototype"
    name: str
    scope: str
    inner: Node


def text_of(node: Node | None) -> str:
    if node is None or node.text is None:
        return ""
    return _SPACE.sub(" ", node.text[: 4 * MAX_NAME].decode("utf-8", "replace")).strip()[:MAX_NAME]


def split_name(name: str) -> tuple[str, str]:
    """ "A::B.c" -> ("A.B", "c")."""
    operator = _OPERATOR.search(name)
    if operator is not None:
        scope = ".".join(part for part in _SEPARATOR.split(_TYPE_ARGUMENTS.sub("", name[: operator.start()])) if part)
        return scope, name[operator.start() :]
    if not _SEPARATOR.search(name):
        return "", name
    *outer, last = [part for part in _SEPARATOR.split(_TYPE_ARGUMENTS.sub("", name)) if part] or [name]
    return ".".join(outer), last
