"""A regular expression engine that backtracks as Python's does, and counts its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

try:
    from re import _parser as sre_parse  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse  # type: ignore[no-redef]

_SINGLE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")


class _Engine:
    def __init__(self, text: str) -> None:
        self.text, self.steps = text, 0
        self.groups: dict[int, str] = {}

    def ends(self, nodes: list[Any], at: int) -> Iterator[int]:
        """Where a match of these nodes that begins at `at` may end, in the order in which they are tried."""
        self.steps += 1
        if not nodes:
            yield at
            return
        for end in self.of_node(nodes[0], at):
            yield from self.ends(nodes[1:], end)

    def of_node(self, node: Any, at: int) -> Iterator[int]:
        kind, value = str(node[0]), node[1]
        if kind in _SINGLE:
            if self.one(kind, value, at):
                yield at + 1
        elif kind == "SUBPATTERN":
            for end in self.ends(list(value[3]), at):
                self.groups[value[0]] = self.text[at:end]
                yield end
        elif kind in ("ASSERT", "ASSERT_NOT"):
            if (next(self.ends(list(value[1]), at), None) is not None) == (kind == "ASSERT"):
                yield at
        elif kind == "GROUPREF":
            if self.text.startswith(self.groups[value], at):
                yield at + len(self.groups[value])
        elif kind in ("MAX_REPEAT", "MIN_REPEAT"):
            yield from self.repeated(kind, value[1], list(value[2]), at)
        else:
            raise AssertionError(f"unknown to this engine: {kind}")

    def repeated(self, kind: str, most: int, body: list[Any], at: int) -> Iterator[int]:
        if len(body) == 1 and str(body[0][0]) in _SINGLE:
            end = at
            while kind == "MAX_REPEAT" and end - at < most and self.one(str(body[0][0]), body[0][1], end):
                end += 1
            while kind == "MAX_REPEAT" and end >= at:
                yield end
                end -= 1
            while kind == "MIN_REPEAT":
                yield end
                if end - at >= most or not self.one(str(body[0][0]), body[0][1], end):
                    return
                end += 1
            return
        if kind == "MIN_REPEAT":
            yield at
        if most:
            for end in self.ends(body, at):
                if end > at:
                    yield from self.repeated(kind, most - 1, body, end)
        if kind == "MAX_REPEAT":
            yield at

    def one(self, kind: str, value: Any, at: int) -> bool:
        self.steps += 1
        if at >= len(self.text):
            return False
        code = ord(self.text[at])
        if kind == "IN":
            negated = str(value[0][0]) == "NEGATE"
            inside = any(
                low <= code <= high
                for name, item in value[negated:]
                for low, high in [item if str(name) == "RANGE" else (item, item)]
            )
            return inside != negated
        return kind == "ANY" or (code == value) == (kind == "LITERAL")


def steps(expression: str, text: str) -> int:
    """The steps of a full match; it is compared with what `re` says."""
    engine = _Engine(text)
    found = any(end == len(text) for end in engine.ends(list(sre_parse.parse(expression, re.DOTALL)), 0))
    assert found == bool(re.fullmatch(expression, text, re.DOTALL))
    return engine.steps
