"""From a root directory to the files that are indexed: ignore rules, scanning, reading, watching."""

from __future__ import annotations

from retrieval.files.reading import MAX_BYTES, FileStamp, SourceFile, decode, digest_of, read_file
from retrieval.files.scanner import Scan, Scanner

__all__ = ["MAX_BYTES", "FileStamp", "Scan", "Scanner", "SourceFile", "decode", "digest_of", "read_file"]
