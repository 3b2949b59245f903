"""Chunk boundaries: chunks without their text (position, kind and names), as stored and sent between processes.

Chunking a file requires a parse; restoring chunks from boundaries only slices the text. Worker processes return boundaries,
and the store keeps those of earlier contents of a file, because users switch branches back. Unpacked over the same text
they give the same chunks. Notebook cells, whose text is not a slice of the file, include their text.

JSON: the version of the chunking rules, the file's language, and one row per chunk: kind, symbol, scope, start line, end
line, start byte, end byte, then language and text where they are not the file's. A file that could not be parsed has
an object at the end: the reason and the version of its parser, so that the next version tries again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from retrieval.chunking import grammars
from retrieval.chunking.chunker import CHUNKING_VERSION
from retrieval.types import Chunk


def pack(chunks: Sequence[Chunk], text: str, note: str = "") -> bytes:
    """The boundaries of all chunks of a file with the content `text`; `note` says why it was not parsed."""
    data = text.encode("utf-8", "replace")
    language = chunks[0].language if chunks else ""
    rows = []
    for c in chunks:
        row: list[str | int] = [c.kind, c.symbol, c.scope, c.start_line, c.end_line, c.start_byte, c.end_byte]
        if c.language != language or c.text != _slice(data, c.start_byte, c.end_byte):
            row += [c.language, c.text]
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
    for kind, symbol, scope, first_line, last_line, start, end, *overrides in rows:
        chunk_language, chunk_text = overrides or (language, _slice(data, start, end))
        chunks.append(Chunk(path, chunk_language, kind, symbol, scope, first_line, last_line, start, end, chunk_text))
    return chunks


def is_current(packed: bytes) -> bool:
    """Whether they were created by the current rules and, for a file that could not be parsed, by the current parser."""
    if not packed.startswith(b"[%d," % CHUNKING_VERSION):
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
    return all(len(row) == _ROW_LENGTH for row in json.loads(packed)[2])


_ROW_LENGTH = 7


def _slice(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")
