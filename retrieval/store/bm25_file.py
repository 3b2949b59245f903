"""A BM25 index on disk: NumPy's zip format, whose parts carry checksums, with what it stands for in a part of its own.

Like the vector graph's snapshot it is a cache: written to a temporary file, synced and renamed; whatever is wrong with
it means that there is none. Nothing of it is unpickled.

Versions: 1 words are hashed by blake2b, counts packed as in postings.py.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from retrieval.private_files import private_opener
from retrieval.store.bm25 import Bm25Index
from retrieval.store.postings import Segment

VERSION = 1
_FIELDS = ("ids", "lengths", "words", "starts", "rows", "counts")
_BROKEN = (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, zlib.error)


def save_bm25(bm25_index: Bm25Index, path: Path, *, generation: str, rules: int) -> None:
    """Replace the file. Raises OSError where there is no room; the old one is then still there."""
    revision, segment = bm25_index.revision, bm25_index.merged_segment()
    stamp = np.array([str(VERSION), generation, str(rules), str(revision)])
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=private_opener) as file:
            np.savez(file, stamp=stamp, **{name: getattr(segment, name) for name in _FIELDS})
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def load_bm25(path: Path, *, generation: str, rules: int) -> Bm25Index | None:
    """The BM25 index of this very index and these rules for words; None where there is none that can be trusted."""
    try:
        with np.load(path, allow_pickle=False) as parts:
            version, saved_generation, saved_rules, revision = (str(value) for value in parts["stamp"])
            if (version, saved_generation, saved_rules) != (str(VERSION), generation, str(rules)):
                return None
            segment = Segment(**{name: parts[name] for name in _FIELDS})
        return Bm25Index(segment, int(revision)) if _fits(segment) else None
    except _BROKEN:
        return None


def _fits(segment: Segment) -> bool:
    """Whether the arrays belong together, so that no search can step beyond one."""
    postings, rows, words = len(segment.rows), len(segment.ids), len(segment.words)
    return (
        len(segment.counts) == postings
        and len(segment.lengths) == rows
        and len(segment.starts) == words + 1
        and int(segment.starts[-1]) == postings
        and bool(np.all(segment.ids[1:] > segment.ids[:-1]))
        and (not postings or int(segment.rows.max()) < rows)
    )
