"""Rows that the store takes and returns: files, and chunks with the hash of the passage that the encoder reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from retrieval.store.analyzer import Words
from retrieval.types import Chunk

PASSAGE_BYTES = 16


def passage_hash(passage: str) -> bytes:
    """The key of a passage in the vector store: 16 bytes, so that a billion passages do not collide."""
    return hashlib.blake2b(passage.encode("utf-8", "surrogatepass"), digest_size=PASSAGE_BYTES).digest()


class Header(NamedTuple):
    """What ranking needs of a chunk. A tuple, because each query makes hundreds of them."""

    path: str
    language: str
    kind: str
    symbol: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    others: str = ""  # where it defines several names: all of them, one a line


class ChunkText(NamedTuple):
    """A chunk's text and where it stands, without its definitions: what candidates are looked through by."""

    path: str
    language: str
    symbol: str
    scope: str
    start_line: int
    text: str


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to be stored, the hash of its passage and, if already split, its words."""

    chunk: Chunk
    passage: bytes
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as it was last seen. `skip` says why it has no chunks, None where it is indexed; `note` why an indexed file
    was not parsed.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    digest: bytes = b""
    language: str = ""
    skip: str | None = None
    note: str = ""
    ctime_ns: int = 0


@dataclass(frozen=True, slots=True)
class PackedStructure:
    """What a file defines, calls and imports, packed, and a row for each name in it: name, number of definitions, data."""

    data: bytes
    names: tuple[tuple[str, int, str], ...] = ()


NO_STRUCTURE = PackedStructure(b"")


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """A file to be stored. `chunks` None leaves its chunks as they are: only its stamp is new. `boundaries` are
    cached with the structure for the file's digest; None: they are cached already, or cannot be.
    """

    file: FileRow
    chunks: tuple[NewChunk, ...] | None
    boundaries: bytes | None = None
    structure: PackedStructure | None = None  # of a file whose chunks are stored; without it the file has none


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction did: ids of the chunks added and removed, and how many were kept."""

    revision: int
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """A chunk that has no vector yet."""

    id: int
    passage: bytes
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. `languages`: chunks by language, most first; `skipped`: files by reason."""

    files: int
    chunks: int
    languages: dict[str, int]
    skipped: dict[str, int]
