"""From a root directory to the files that are indexed: ignore rules, scanning, reading, watching."""

from __future__ import annotations

from retrieval.files.debounce import Changes
from retrieval.files.file_reader import (
    MAX_BYTES,
    FileStamp,
    SourceFile,
    decode,
    digest_of,
    reachable,
    read_file,
    text_reason,
)
from retrieval.files.scanner import Judge, Scan, Scanner
from retrieval.files.watcher import Watcher

__all__ = [
    "MAX_BYTES",
    "Changes",
    "FileStamp",
    "Judge",
    "Scan",
    "Scanner",
    "SourceFile",
    "Watcher",
    "decode",
    "digest_of",
    "reachable",
    "read_file",
    "text_reason",
]
