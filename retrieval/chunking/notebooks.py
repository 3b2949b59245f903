"""Splits notebooks into one chunk per cell.

A notebook is JSON: a chunk's lines and bytes are those of the cell's source in the .ipynb file, so that an editor
opens the right location, while its text is the decoded source (the only kind of chunk whose text is not a slice of the file).
Outputs and metadata are skipped. A Markdown heading becomes the scope of the cells that follow it. The definitions in a code cell
are found by the grammar of its language, which is the kernel's or the one that a magic names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.parsing import deadline, parse
from retrieval.chunking.patterns import title_of
from retrieval.chunking.split_points import definitions_in, split_points_of
from retrieval.types import Chunk, Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

LONG_CELL = 2400  # characters; longer cells are split between lines
TINY_CELL = 160  # characters; such code cells are merged
CELLS_TOGETHER = 900
HEADING = re.compile(r"^[^\S\n]*(#{1,6})\s+(.+)", re.MULTILINE)  # `^\s*` tries each of many blank lines at each
# Commands of the notebook, not of its language, at the beginning of a line: `%matplotlib inline`, `!pip install x`, `?print`
_COMMAND = re.compile(r"^[ \t]*[%!?].*", re.MULTILINE)
_CELL_MAGIC = re.compile(r"\s*%%(?:script[ \t]+)?(\w+)")
_MAGICS = {
    "bash": "bash", "sh": "bash", "javascript": "javascript", "js": "javascript", "html": "html", "svg": "html", "sql": "sql",
    "bigquery": "sql", "r": "r", "ruby": "ruby", "perl": "perl", "latex": "tex", "cython": "cython", "markdown": "markdown",
    "julia": "julia",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _SourceLine:
    """One source line of a cell and its byte span in the file."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Cell:
    kind: str  # "code", "markdown" or "raw"
    rows: tuple[_SourceLine, ...]

    @property
    def text(self) -> str:
        return "".join(row.text for row in self.rows)


def notebook_chunks(path: str, lines: LineIndex) -> list[Chunk] | None:
    """The cells as chunks; None if the file is not a readable notebook."""
    document = parse("json", lines.data)
    if document is None or document.has_error:
        return None
    root = next((node for node in document.named_children if node.type == "object"), None)
    if root is None:
        return None
    cells = _cells(root)
    if cells is None:
        return None
    language = _language(_value(root, "metadata"))
    chunks: list[Chunk] = []
    scope, until = "", deadline()
    for cell in cells:
        heading = HEADING.search(cell.text) if cell.kind == "markdown" else None
        if heading is not None:
            scope = title_of(heading[2])
        cell_language = _cell_language(cell, language)
        symbols = _symbols(cell, cell_language, lines, until) if cell.kind == "code" else []
        for rows in _parts(cell.rows):
            chunk = _chunk(path, cell_language, scope, rows, lines, symbols)
            if chunk is not None:
                _append(chunks, chunk if heading is None else replace(chunk, symbol=scope, scope=""))
    return chunks


def _append(chunks: list[Chunk], chunk: Chunk) -> None:
    """Add a chunk; merge it with the previous one if both are tiny code cells of one section that define nothing."""
    last = chunks[-1] if chunks else None
    if (
        last is not None
        and last.language == chunk.language != "markdown"
        and last.scope == chunk.scope
        and not last.symbols + chunk.symbols
        and len(chunk.text) <= TINY_CELL
        and len(last.text) + len(chunk.text) <= CELLS_TOGETHER
    ):
        chunks[-1] = replace(
            last,
            text=last.text.rstrip("\n") + "\n\n" + chunk.text,
            end_line=chunk.end_line,
            end_byte=chunk.end_byte,
        )
    else:
        chunks.append(chunk)


def _cell_language(cell: _Cell, kernel: str) -> str:
    if cell.kind != "code":
        return "markdown" if cell.kind == "markdown" else "text"
    magic = _CELL_MAGIC.match(cell.rows[0].text) if cell.rows else None
    return _MAGICS.get(magic[1].lower(), kernel) if magic else kernel


def _symbols(cell: _Cell, language: str, lines: LineIndex, until: float) -> list[Symbol]:
    """The definitions of a code cell, in lines of the file."""
    source = LineIndex(_COMMAND.sub("", cell.text) if language == "python" else cell.text)
    at = [lines.line_at(row.start) + 1 for row in cell.rows for _ in row.text.splitlines()]
    return [
        replace(symbol, start_line=at[symbol.start_line - 1], end_line=at[min(symbol.end_line, len(at)) - 1])
        for symbol in definitions_in(split_points_of(language, source, until=until))
        if symbol.start_line <= len(at)
    ]


def _chunk(
    path: str,
    language: str,
    scope: str,
    rows: tuple[_SourceLine, ...],
    lines: LineIndex,
    symbols: list[Symbol],
) -> Chunk | None:
    """A chunk of some lines of a cell, without the blank ones around them; `symbols` are those of the cell."""
    shown = [n for n, row in enumerate(rows) if row.text.strip()]
    if not shown:
        return None
    rows = rows[shown[0] : shown[-1] + 1]
    start, end = rows[0].start, rows[-1].end
    first, last = lines.line_at(start) + 1, lines.line_at(end - 1) + 1
    inside = [symbol for symbol in symbols if symbol.start_line <= last and symbol.end_line >= first]
    begun = [
        symbol for symbol in inside if symbol.start_line >= first
    ]  # a part of a long class is named by its members
    symbol = begun[0].name if begun else inside[-1].name if inside else ""
    text = "".join(row.text for row in rows).strip("\n")
    clipped = tuple(
        replace(one, start_line=max(one.start_line, first), end_line=min(one.end_line, last)) for one in inside
    )
    return Chunk(path, language, "cell", symbol, scope, first, last, start, end, text, clipped)


def _parts(rows: tuple[_SourceLine, ...]) -> list[tuple[_SourceLine, ...]]:
    """A long cell in parts of about equal length; lines are never split."""
    total = sum(len(row.text) for row in rows)
    if total <= LONG_CELL:
        return [rows] if rows else []
    target = total / -(-total // (LONG_CELL // 2))
    parts: list[tuple[_SourceLine, ...]] = []
    part: list[_SourceLine] = []
    size = 0
    for row in rows:
        if part and (size + len(row.text) > target * 1.2 or (size > target * 0.7 and not part[-1].text.strip())):
            parts.append(tuple(part))
            part, size = [], 0
        part.append(row)
        size += len(row.text)
    return [*parts, tuple(part)]


def _cells(root: Node) -> list[_Cell] | None:
    cells = _value(root, "cells")
    if cells is None:  # the format before 2015 stored them in worksheets
        sheets = _value(root, "worksheets")
        first = sheets.named_children[0] if sheets is not None and sheets.named_child_count else None
        cells = _value(first, "cells")
    if cells is None or cells.type != "array":
        return None
    return [_cell(node) for node in cells.named_children if node.type == "object"]


def _cell(node: Node) -> _Cell:
    kind = _value(node, "cell_type")
    source = _value(node, "source") or _value(node, "input")
    return _Cell(_string(kind) if kind is not None else "raw", tuple(_rows(source)) if source is not None else ())


def _rows(source: Node) -> list[_SourceLine]:
    nodes = source.named_children if source.type == "array" else [source]
    return [_SourceLine(_string(node), node.start_byte, node.end_byte) for node in nodes if node.type == "string"]


def _string(node: Node) -> str:
    try:
        value = json.loads(node.text or b'""', strict=False)
    except ValueError:
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _value(node: Node | None, key: str) -> Node | None:
    """The value of a key of a JSON object."""
    if node is None or node.type != "object":
        return None
    target = f'"{key}"'.encode()
    for pair in node.named_children:
        name = pair.child_by_field_name("key")
        if name is not None and name.text == target:
            return pair.child_by_field_name("value")
    return None


def _language(metadata: Node | None) -> str:
    for holder, key in (("language_info", "name"), ("kernelspec", "language")):
        node = _value(_value(metadata, holder), key)
        if node is not None and (name := _string(node).lower()):
            return {"c++": "cpp", "c#": "csharp", "ipython": "python"}.get(name, name)
    return "python"
