"""The text of single lines, from the chunks that hold them."""

from __future__ import annotations

from dataclasses import replace

from retrieval.chunking import lines_of
from retrieval.indexing import OverlaidRows
from retrieval.structure.answers import Usage

MAX_LINE = 300  # characters that are shown


class LineReader:
    """Reads the lines of one answer: each chunk once."""

    def __init__(self, rows: OverlaidRows) -> None:
        self._rows = rows
        self._known: dict[str, dict[int, str]] = {}

    def line(self, path: str, number: int) -> str:
        """The line without blanks at its ends; "" where it is in no chunk."""
        known = self._known.setdefault(path, {})
        if number not in known:
            known[number] = ""
            for chunk in self._rows.texts_between(path, number, number):
                known.update(enumerate(lines_of(chunk.text), chunk.start_line))
        return known[number].strip()[:MAX_LINE]

    def with_text(self, usage: Usage) -> Usage:
        return replace(usage, text=self.line(usage.path, usage.line))
