"""What a file defines, calls and imports, read from its parse tree beside the chunks."""

from retrieval.chunking.structure.extraction import MAX_DEFINITIONS, UNKNOWN, Definition, FileStructure, Use, extract
from retrieval.chunking.structure.packed import (
    ANY,
    Mention,
    NameRow,
    is_current,
    name_rows,
    pack,
    read_row,
    unpack,
    unpack_definitions,
)

__all__ = [
    "ANY",
    "MAX_DEFINITIONS",
    "UNKNOWN",
    "Definition",
    "FileStructure",
    "Mention",
    "NameRow",
    "Use",
    "extract",
    "is_current",
    "name_rows",
    "pack",
    "read_row",
    "unpack",
    "unpack_definitions",
]
