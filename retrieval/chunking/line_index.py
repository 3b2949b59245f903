"""Text as lines of bytes: the one place where offsets are turned into lines.

Lines end at \\n, \\r\\n and \\r only, as editors count them; form feeds and U+2028 are characters like others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

LINE_COST = 6  # a line costs the reader and the encoder something beyond its characters
BLANK_COST = 1


class Lines:
    """The lines of one file, 0-based. `weight` is what chunk sizes are measured in: characters without indentation."""

    __slots__ = ("_weights", "count", "data", "starts")

    def __init__(self, text: str) -> None:
        self.data = text.encode("utf-8", "replace")  # lone surrogates cannot be encoded
        rows = self.data.splitlines(keepends=True)
        self.count = len(rows)
        self.starts = [0, *accumulate(map(len, rows))]
        costs = [len(row) + LINE_COST if row else BLANK_COST for row in map(bytes.strip, rows)]
        self._weights = [0, *accumulate(costs)]

    def at(self, offset: int) -> int:
        """The line that holds the byte at `offset`."""
        return bisect_right(self.starts, offset, 0, self.count) - 1

    def weight(self, first: int, end: int) -> int:
        return self._weights[end] - self._weights[first]

    def weight_before(self, line: int) -> int:
        return self._weights[line]

    def line_with_weight(self, weight: int) -> int:
        """The first line at whose start at least `weight` lies behind."""
        return bisect_right(self._weights, weight - 1)

    def blank(self, line: int) -> bool:
        return self._weights[line + 1] - self._weights[line] == BLANK_COST

    def begins_line(self, line: int, offset: int) -> bool:
        """Whether nothing but white space stands before `offset` on its line."""
        start = self.starts[line]
        return start == offset or not self.data[start:offset].strip()

    def row(self, line: int) -> bytes:
        """The bytes of one line without its break."""
        return self.data[self.starts[line] : self.starts[line + 1]].rstrip(b"\r\n")

    def trimmed(self, first: int, end: int) -> tuple[int, int]:
        """The span without blank lines at its borders; empty (first == end) where it is all blank."""
        while first < end and self.blank(first):
            first += 1
        while first < end and self.blank(end - 1):
            end -= 1
        return first, end

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Byte span of whole lines without the last line's break."""
        start, stop = self.starts[first], self.starts[end]
        if stop > start and self.data[stop - 1] == 0x0A:
            stop -= 1
        if stop > start and self.data[stop - 1] == 0x0D:
            stop -= 1
        return start, stop


_BREAK = re.compile(r"\r\n|\r|\n")


def lines_of(text: str) -> list[str]:
    """The lines of a text without their ends, cut where `Chunk` counts them: at "\\n", "\\r\\n" and a lone "\\r"."""
    return _BREAK.split(text) if "\r" in text else text.split("\n")
