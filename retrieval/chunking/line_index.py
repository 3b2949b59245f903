"""A line index over the bytes of a text: the only place that converts offsets to lines.

Lines end at \\n, \\r\\n and \\r only, as in editors; form feeds and U+2028 are ordinary characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

LINE_COST = 6  # a line has a cost beyond its characters, for readers and for the encoder
BLANK_COST = 1


class LineIndex:
    """The lines of one file, 0-based. `weight` is the unit of chunk sizes: characters without indentation."""

    __slots__ = ("_weights", "count", "data", "starts")

    def __init__(self, text: str | bytes) -> None:
        # lone surrogates cannot be encoded
        self.data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        rows = self.data.splitlines(keepends=True)
        self.count = len(rows)
        self.starts = [0, *accumulate(map(len, rows))]
        costs = [len(row) + LINE_COST if row else BLANK_COST for row in map(bytes.strip, rows)]
        self._weights = [0, *accumulate(costs)]

    def with_data(self, data: bytes) -> LineIndex:
        """The same lines and weights over bytes of which some are replaced, but none of those that break lines."""
        other = LineIndex(b"")
        other.data, other.count, other.starts, other._weights = data, self.count, self.starts, self._weights
        return other

    def line_at(self, offset: int) -> int:
        """The line that contains the byte at `offset`."""
        return bisect_right(self.starts, offset, 0, self.count) - 1

    def weight(self, first: int, end: int) -> int:
        return self._weights[end] - self._weights[first]

    def weight_before(self, line: int) -> int:
        return self._weights[line]

    def line_with_weight(self, weight: int) -> int:
        """The first line preceded by at least `weight`."""
        return bisect_right(self._weights, weight - 1)

    def is_blank(self, line: int) -> bool:
        return self._weights[line + 1] - self._weights[line] == BLANK_COST

    def begins_line(self, line: int, offset: int, source: bytes) -> bool:
        """Whether only white space of `source`, a text with the same offsets, precedes `offset` on its line."""
        start = self.starts[line]
        return start == offset or not source[start:offset].strip()

    def row(self, line: int) -> bytes:
        """The bytes of one line without its line break."""
        return self.data[self.starts[line] : self.starts[line + 1]].rstrip(b"\r\n")

    def rows(self) -> list[bytes]:
        """The bytes of all lines without their line breaks."""
        return self.data.splitlines()

    def trimmed(self, first: int, end: int) -> tuple[int, int]:
        """The span without leading and trailing blank lines; empty (first == end) if all lines are blank."""
        while first < end and self.is_blank(first):
            first += 1
        while first < end and self.is_blank(end - 1):
            end -= 1
        return first, end

    def span(self, first: int, end: int) -> tuple[int, int]:
        """The byte span of whole lines without the last line break."""
        start, stop = self.starts[first], self.starts[end]
        if stop > start and self.data[stop - 1] == 0x0A:
            stop -= 1
        if stop > start and self.data[stop - 1] == 0x0D:
            stop -= 1
        return start, stop


_BREAK = re.compile(r"\r\n|\r|\n")


def lines_of(text: str) -> list[str]:
    """The lines of a text without line breaks, split where `Chunk` counts them: at "\\n", "\\r\\n" and a lone "\\r"."""
    return _BREAK.split(text) if "\r" in text else text.split("\n")


def lines_with_breaks(text: str) -> list[tuple[str, str]]:
    """The same lines, each with what ends it; the last one with what ends the line before, or "\n"."""
    if "\r" not in text:
        return [(line, "\n") for line in text.split("\n")]
    breaks = _BREAK.findall(text)
    return list(zip(_BREAK.split(text), [*breaks, *(breaks[-1:] or ["\n"])], strict=True))
