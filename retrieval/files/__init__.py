"""Selects the files to index under a root directory: ignore rules, scanning, reading, watching."""

from __future__ import annotations

from retrieval.files.changed_files import ChangedFiles
from retrieval.files.debounce import ChangeBatch
from retrieval.files.encodings import decode
from retrieval.files.file_reader import (
    FAILED,
    MAX_BYTES,
    MOST_BYTES,
    FileStamp,
    SourceFile,
    digest_of,
    digest_of_file,
    failure,
    is_inside,
    read_file,
    skip_reason,
)
from retrieval.files.scanner import PathFilter, Scan, Scanner
from retrieval.files.token_masking import MASKING_VERSION, mask_tokens
from retrieval.files.watcher import Watcher, WatchTiming

__all__ = [
    "FAILED",
    "MASKING_VERSION",
    "MAX_BYTES",
    "MOST_BYTES",
    "ChangeBatch",
    "ChangedFiles",
    "FileStamp",
    "PathFilter",
    "Scan",
    "Scanner",
    "SourceFile",
    "WatchTiming",
    "Watcher",
    "decode",
    "digest_of",
    "digest_of_file",
    "failure",
    "is_inside",
    "mask_tokens",
    "read_file",
    "skip_reason",
]
