"""Chunks without their text: where they begin and end and what they are called.

Cutting a file costs a parse; cutting it where it was cut before costs a slice. So borders are what a worker process
sends back, and what the store remembers of a file's earlier contents, because branches come back. Unpacked over the
same text they give the same chunks. A notebook's cells, whose text is no slice of the file, carry it along.

JSON: the version of the rules, the file's language, and a row a chunk: kind, symbol, scope, start line, end line, start
byte, end byte, then language and text where they are not the file's. A file that could not be parsed has an object at the end: why,
and the version of its parser, so that the next version of that tries again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from retrieval.chunking import grammars
from retrieval.chunking.chunker import CHUNKING_VERSION
from retrieval.types import Chunk


def pack(chunks: Sequence[Chunk], text: str, note: str = "") -> bytes:
    """The borders of all chunks of one file, of which `text` is the content; `note` says why it was not parsed."""
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


def unpack(path: str, text: str, borders: bytes) -> list[Chunk]:
    """The chunks of a file with this content."""
    data = text.encode("utf-8", "replace")
    _, language, rows, *_ = json.loads(borders)
    chunks = []
    for kind, symbol, scope, first_line, last_line, start, end, *own in rows:
        spoken, said = own or (language, _slice(data, start, end))
        chunks.append(Chunk(path, spoken, kind, symbol, scope, first_line, last_line, start, end, said))
    return chunks


def is_current(borders: bytes) -> bool:
    """Whether they were made by the rules of today and, of a file that could not be parsed, by the parser of today."""
    if not borders.startswith(b"[%d," % CHUNKING_VERSION):
        return False
    if not borders.endswith(b"}]"):
        return True
    _, language, _, limited = json.loads(borders)
    return bool(limited["parser"] == grammars.version(language))


def note_of(borders: bytes) -> str:
    """Why the file was not parsed; "" where it was."""
    return str(json.loads(borders)[3]["note"]) if borders.endswith(b"}]") else ""


def without_text(borders: bytes) -> bool:
    """Whether no chunk carries its text along: what may be remembered."""
    return all(len(row) == _PLAIN for row in json.loads(borders)[2])


_PLAIN = 7


def _slice(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")
