"""What a file defines, calls and imports, read from its parse tree beside the chunks."""

from retrieval.chunking.structure.extraction import UNKNOWN, Definition, FileStructure, Use, extract
from retrieval.chunking.structure.packed import (
    ANY,
    Mention,
    NameRow,
    is_current,
    name_rows,
    pack,
    read_row,
    unpack,
)

__all__ = [
    "ANY",
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
]
