"""Positions between a client and the engine.

A client counts lines from 0 and columns in code units of the encoding that was negotiated (UTF-8, UTF-16 or UTF-32);
"\\n", "\\r\\n" and "\\r" end a line, and nothing else does (LSP 3.17, Position). The engine has the same lines, counted from
1, and Python's columns are code points. Columns beyond a line's end mean its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")
_WIDTHS: dict[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text) + sum(char > "\uffff" for char in text),
    "utf-32": len,
}


class Encoding:
    """Columns in the code units of one encoding."""

    def __init__(self, kind: PositionEncodingKind | str = PositionEncodingKind.Utf16) -> None:
        self.name = str(kind.value if isinstance(kind, PositionEncodingKind) else kind)
        self._width = _WIDTHS[self.name]

    def units(self, text: str) -> int:
        """How many code units a text has."""
        return len(text) if text.isascii() else self._width(text)

    def index(self, line: str, units: int) -> int:
        """The code point index of a column of a line; within a character, that character's."""
        body = line.rstrip("\r\n")
        if units <= 0:
            return 0
        if body.isascii() or self._width is len:
            return min(units, len(body))
        at = 0
        for i, char in enumerate(body):
            at += self._width(char)
            if at > units:
                return i
        return len(body)


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; the last one has none and may be empty."""
    if "\r" not in text:
        parts = text.split("\n")
        return [part + "\n" for part in parts[:-1]] + parts[-1:]
    # Behind the last end the pattern would try each character of a long last line.
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return [*_LINE.findall(text, 0, end), text[end:]]


def last_line(text: str) -> str:
    """The last line that a text has something of, without its end."""
    ends = 2 if text.endswith("\r\n") else int(text.endswith(("\n", "\r")))
    body = text[: len(text) - ends]
    return body[max(body.rfind("\n"), body.rfind("\r")) + 1 :]


def whole_lines(start: int, end: int, last_line: str, encoding: Encoding) -> Range:
    """The range of the engine's lines `start` to `end`, both inclusive."""
    width = encoding.units(last_line.rstrip("\r\n"))
    return Range(Position(start - 1, 0), Position(max(end, start) - 1, width))
