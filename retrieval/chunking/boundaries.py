"""Chunk boundaries: chunks without their text (position, kind and names), as stored and sent between processes.

Chunking a file requires a parse; restoring chunks from boundaries only slices the text. Worker processes return boundaries,
and the store keeps those of earlier contents of a file, because users switch branches back. Unpacked over the same text
they give the same chunks. Notebook cells, whose text is not a slice of the file, include their text.

JSON: the version of the chunking rules, the file's language, and one row per chunk: kind, symbol, scope, start line, end
line, start byte, end byte, the symbols in it where they are more than its own, then language and text where they are not
the file's (null where the text is the file's). A file that could not be parsed has
an object at the end: the reason and the version of its parser, so that the next version tries again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from retrieval.chunking import grammars
from retrieval.chunking.version import CHUNKING_VERSION
from retrieval.types import Chunk, Symbol, own_symbols, whole_symbol


def pack(chunks: Sequence[Chunk], text: str, note: str = "") -> bytes:
    """The boundaries of all chunks of a file with the content `text`; `note` says why it was not parsed."""
    data = text.encode("utf-8", "replace")
    language = chunks[0].language if chunks else ""
    rows = []
    for c in chunks:
        row: list[object] = [c.kind, c.symbol, c.scope, c.start_line, c.end_line, c.start_byte, c.end_byte]
        is_slice = c.text == _slice(data, c.start_byte, c.end_byte)
        if c.language != language or not is_slice:
            row += [_packed_symbols(c), c.language, None if is_slice else c.text]
        elif (symbols := _packed_symbols(c)) is not None:
            row.append(symbols)
        rows.append(row)
    packed: list[object] = [CHUNKING_VERSION, language, rows]
    if note:
        packed.append({"note": note, "parser": grammars.version(language)})
    return json.dumps(packed, separators=(",", ":")).encode("ascii")


def unpack(path: str, text: str, packed: bytes) -> list[Chunk]:
    """The chunks of a file with this content."""
    data = text.encode("utf-8", "replace")
    _, language, rows, *_ = json.loads(packed)
    chunks = []
    for kind, symbol, scope, first_line, last_line, start, end, *rest in rows:
        more: list[Any] = rest
        packed_symbols, chunk_language, chunk_text = [*more, *_DEFAULTS[len(more) :]]
        if chunk_text is None:
            chunk_text = _slice(data, start, end)
        symbols = (
            whole_symbol(symbol, kind, scope, first_line, last_line)
            if packed_symbols is None
            else tuple(Symbol(*each) for each in packed_symbols)
        )
        chunks.append(
            Chunk(
                path, chunk_language or language, kind, symbol, scope, first_line, last_line, start, end, chunk_text, symbols
            )
        )  # fmt: skip
    return chunks


def is_current(packed: bytes, language: str = "") -> bool:
    """Whether they were created by the current rules and, for a file that could not be parsed, by the current parser; in
    this language, where one is given.
    """
    if not packed.startswith(b"[%d," % CHUNKING_VERSION):
        return False
    if language and json.loads(packed)[1] not in ("", language):
        return False
    if not packed.endswith(b"}]"):
        return True
    _, language, _, unparsed = json.loads(packed)
    return bool(unparsed["parser"] == grammars.version(language))


def parse_note(packed: bytes) -> str:
    """Why the file was not parsed; "" if it was."""
    return str(json.loads(packed)[3]["note"]) if packed.endswith(b"}]") else ""


def has_no_text(packed: bytes) -> bool:
    """Whether no chunk includes its text: only then may the boundaries be stored."""
    return all(row[_TEXT:] in ([], [None]) for row in json.loads(packed)[2])


_TEXT = 9  # the place of the text in a row
_DEFAULTS: list[Any] = [None, None, None]  # symbols, language, text


def _packed_symbols(chunk: Chunk) -> list[tuple[str, str, str, int, int]] | None:
    """None where they are what `own_symbols` says."""
    if chunk.symbols == own_symbols(chunk):
        return None
    return [(s.name, s.kind, s.scope, s.start_line, s.end_line) for s in chunk.symbols]


def _slice(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")
