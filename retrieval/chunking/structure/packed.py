"""What is stored of a file's structure: all of it as compressed text, and one row for each name, by which it is looked up.

A line an entry, its values separated by tabs: what it is, then the values of its tuple. Of a file these are its definitions ("d"),
uses ("u") and wildcards ("w"), after a line with the version; of a name in a file its definitions, and its uses, each with what is
around it, so that callers are known from the rows of one name. (JSON takes three times as long, and there are many rows.)
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from retrieval.chunking.structure.extraction import Definition, FileStructure, Use
from retrieval.chunking.version import STRUCTURE_VERSION

_MAX_LINE_BYTES = 80  # of an ordinary definition
ANY = "*"  # the module of a bare name in a file with an import that brings names which are not written down

NameRow = tuple[str, int, str]  # name, number of definitions, data


class Mention(NamedTuple):
    """A name that is used, with what is around it: the qualified name and the lines of the definition, none outside of all."""

    kind: str
    line: int
    qualifier: str
    module: str
    original: str
    around: str
    first: int
    last: int


def pack(structure: FileStructure) -> bytes:
    lines = [str(STRUCTURE_VERSION)]
    lines += [f"d\t{d[0]}\t{d[1]}\t{d[2]}\t{d[3]}\t{d[4]}\t{d[5]}" for d in structure.definitions]
    lines += [f"u\t{u[0]}\t{u[1]}\t{u[2]}\t{u[3]}\t{u[4]}\t{u[5]}\t{u[6]}" for u in structure.uses]
    lines += [f"w\t{module}" for module in structure.wildcards]
    return zlib.compress("\n".join(lines).encode("utf-8", "replace"), 1)


def unpack(data: bytes) -> FileStructure:
    structure = FileStructure()
    for line in zlib.decompress(data).decode("utf-8", "replace").split("\n")[1:]:
        what, *values = line.split("\t")
        if what == "d":
            structure.definitions.append(_definition(*values))
        elif what == "u":
            name, kind, at, owner, *rest = values
            structure.uses.append(Use(name, kind, int(at), int(owner), *rest))
        else:
            structure.wildcards += values
    return structure


def unpack_definitions(data: bytes, most: int) -> list[Definition]:
    """The first definitions alone, which come first."""
    definitions = []
    limit = (1 + most) * _MAX_LINE_BYTES
    read = zlib.decompressobj().decompress(data, limit)
    lines = read.decode("utf-8", "replace").split("\n")
    if len(read) == limit:
        lines.pop()  # it may go on
    for line in lines[1 : most + 1]:
        what, *values = line.split("\t")
        if what == "d":
            definitions.append(_definition(*values))
        else:
            break
    return definitions


def is_current(data: bytes) -> bool:
    return zlib.decompressobj().decompress(data, 8).partition(b"\n")[0] == str(STRUCTURE_VERSION).encode()


def name_rows(structure: FileStructure) -> list[NameRow]:
    """A row for each name, in their order."""
    rows: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    around = [f"{d.qualified}\t{d.first}\t{d.last}" for d in structure.definitions]
    around.append("\t0\t0")  # of what is outside of all: number -1
    for name, kind, scope, first, last, line in structure.definitions:
        counts[name] += 1
        rows[name].append(f"d\t{kind}\t{scope}\t{first}\t{last}\t{line}")
    bare = ANY if structure.wildcards else ""
    for name, kind, line, owner, qualifier, module, original in structure.uses:
        origin = module or ("" if qualifier else bare)
        rows[name].append(f"{kind}\t{line}\t{qualifier}\t{origin}\t{original}\t{around[owner]}")
    return [(name, counts.get(name, 0), "\n".join(rows[name])) for name in sorted(rows)]


def read_row(name: str, data: str) -> tuple[list[Definition], list[Mention]]:
    """The definitions of a name in a file, and where it is used there."""
    definitions, mentions = list[Definition](), list[Mention]()
    for line in data.split("\n"):
        values: Sequence[str] = line.split("\t")
        if values[0] == "d":
            definitions.append(_definition(name, *values[1:]))
        else:
            kind, at, qualifier, module, original, outer, first, last = values
            mentions.append(Mention(kind, int(at), qualifier, module, original, outer, int(first), int(last)))
    return definitions, mentions


def _definition(name: str, kind: str, scope: str, first: str, last: str, line: str) -> Definition:
    return Definition(name, kind, scope, int(first), int(last), int(line))
