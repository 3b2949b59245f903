"""The text of one open document, kept as lines: a keystroke costs its line and not the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)
from pygls.protocol import default_converter

from c2llm_lsp.server.text.positions import Encoding, split_lines

if TYPE_CHECKING:
    from cattrs import Converter


class Document:
    """An open document; belongs to the thread that reads messages."""

    def __init__(self, uri: str, language: str, version: int, text: str, encoding: Encoding) -> None:
        self.uri = uri
        self.scheme = uri.partition(":")[0].lower()
        self.language = language
        self.version = version
        self._encoding = encoding
        self._lines = split_lines(text)

    @property
    def text(self) -> str:
        return "".join(self._lines)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def apply(self, version: int, changes: Iterable[TextDocumentContentChangeEvent]) -> None:
        """Apply changes one after another, each on the outcome of the one before (LSP 3.17, didChange)."""
        for change in changes:
            if isinstance(change, TextDocumentContentChangePartial):
                self._replace(change.range, change.text)
            else:
                self._lines = split_lines(change.text)
        self.version = version

    def between(self, span: Range) -> str:
        """The text of a range."""
        (first, start), (last, end) = self._locate(span.start), self._locate(span.end)
        if first == last:
            return self._lines[first][start:end]
        return "".join([self._lines[first][start:], *self._lines[first + 1 : last], self._lines[last][:end]])

    def _replace(self, span: Range, text: str) -> None:
        (first, start), (last, end) = sorted((self._locate(span.start), self._locate(span.end)))
        joined = self._lines[first][:start] + text + self._lines[last][end:]
        # Half of a "\r\n" may have come or gone beside the change: then the neighbour is cut anew with it.
        if first and self._lines[first - 1].endswith("\r") and joined.startswith("\n"):
            first -= 1
            joined = self._lines[first] + joined
        lines = split_lines(joined)
        if last + 1 < len(self._lines):
            if not lines[-1] and not joined.endswith("\r"):
                lines.pop()  # what follows begins a line of its own
            else:
                last += 1
                lines = split_lines(joined + self._lines[last])
                if last + 1 < len(self._lines) and not lines[-1]:
                    lines.pop()
        self._lines[first : last + 1] = lines

    def _locate(self, position: Position) -> tuple[int, int]:
        """Line and code point of a position, inside the document."""
        if position.line >= len(self._lines):
            return len(self._lines) - 1, len(self._lines[-1])
        return position.line, self._encoding.index(self._lines[position.line], position.character)


def create_converter() -> Converter:
    """pygls' converter, where a change whose range is null is one of the whole text, as without a range."""
    standard: Converter = default_converter()  # type: ignore[no-untyped-call]
    partial, whole = TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument

    def change(sent: dict[str, Any], _: object) -> TextDocumentContentChangeEvent:
        return standard.structure(sent, whole) if sent.get("range") is None else standard.structure(sent, partial)

    standard.register_structure_hook(partial | whole, change)
    return standard
