"""A backtracking regular expression engine like Python's that counts its steps."""

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

    def ends(self, nodes: list[Any], index: int) -> Iterator[int]:
        """Possible ends of a match of these nodes from `index`, in the order of trial."""
        self.steps += 1
        if not nodes:
            yield index
            return
        for end in self.of_node(nodes[0], index):
            yield from self.ends(nodes[1:], end)

    def of_node(self, node: Any, index: int) -> Iterator[int]:
        kind, value = str(node[0]), node[1]
        if kind in _SINGLE:
            if self.one(kind, value, index):
                yield index + 1
        elif kind == "SUBPATTERN":
            for end in self.ends(list(value[3]), index):
                self.groups[value[0]] = self.text[index:end]
                yield end
        elif kind in ("ASSERT", "ASSERT_NOT"):
            if (next(self.ends(list(value[1]), index), None) is not None) == (kind == "ASSERT"):
                yield index
        elif kind == "GROUPREF":
            if self.text.startswith(self.groups[value], index):
                yield index + len(self.groups[value])
        elif kind in ("MAX_REPEAT", "MIN_REPEAT"):
            yield from self.repeated(kind, value[1], list(value[2]), index)
        else:
            raise AssertionError(f"unknown to this engine: {kind}")

    def repeated(self, kind: str, most: int, body: list[Any], index: int) -> Iterator[int]:
        if len(body) == 1 and str(body[0][0]) in _SINGLE:
            end = index
            while kind == "MAX_REPEAT" and end - index < most and self.one(str(body[0][0]), body[0][1], end):
                end += 1
            while kind == "MAX_REPEAT" and end >= index:
                yield end
                end -= 1
            while kind == "MIN_REPEAT":
                yield end
                if end - index >= most or not self.one(str(body[0][0]), body[0][1], end):
                    return
                end += 1
            return
        if kind == "MIN_REPEAT":
            yield index
        if most:
            for end in self.ends(body, index):
                if end > index:
                    yield from self.repeated(kind, most - 1, body, end)
        if kind == "MAX_REPEAT":
            yield index

    def one(self, kind: str, value: Any, index: int) -> bool:
        self.steps += 1
        if index >= len(self.text):
            return False
        code = ord(self.text[index])
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
    """The steps of a full match; the result is checked against `re`."""
    engine = _Engine(text)
    matched = any(end == len(text) for end in engine.ends(list(sre_parse.parse(expression, re.DOTALL)), 0))
    assert matched == bool(re.fullmatch(expression, text, re.DOTALL))
    return engine.steps
