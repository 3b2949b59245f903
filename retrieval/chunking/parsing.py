"""Parses source code within a time limit.

The text is untrusted: 300 kB of `if (a) { b(` keep the bash grammar busy for minutes. The parser calls a progress
callback between two steps, which stops that case. A single step of error recovery can take
seconds and gigabytes, and some grammars crash: 8 kB of `/*` lines as Python take 2.3 GB in one step of 14 s. Nothing
in this process can stop those, so untrusted text is parsed in worker processes (retrieval/indexing/limits.py).
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from retrieval.chunking import grammars
from retrieval.chunking.c_macros import without_macros

if TYPE_CHECKING:
    from tree_sitter import Node

# CPU time. The slowest real file seen (600 kB of Zig) takes a tenth of it.
BUDGET_SECONDS = 2.0
# Bytes. Parsing without a callback holds the GIL: smaller files take a millisecond or two.
WATCHED_MIN_BYTES = 4 * 1024
# Bytes passed to the parser at a time. A node's text is read in such blocks too: with 64 KB chunking takes 1.7 times as
# long (160 files of 16 to 400 kB).
_BLOCK = 1024

_LONE_RETURN = re.compile(rb"\r(?!\n)")
_GLOBAL = re.compile(rb"\bglobal\b", re.IGNORECASE)  # of Apex: `public` is as long
# Words of dialects that the grammar of their language does not know: a word that it knows takes their place, where a
# definition may begin.
_DIALECTS = {
    "apex": re.compile(
        rb"\b(?:(?:with|without|inherited)[ \t]+sharing|virtual|override|testMethod|webservice)\b", re.IGNORECASE
    ),
    "cpp": re.compile(rb"\b__(?:device|global|host|shared|constant|forceinline|noinline|restrict)__\b"),
    "opencl": re.compile(rb"\b(?:__)?(?:kernel|global|local|constant|private|read_only|write_only|read_write)\b"),
}


class ParseTimeout(Exception):
    """The parse was stopped because it took too long."""


def deadline() -> float:
    """Until when the parsers may compute that begin now, in the CPU time of this thread."""
    return time.thread_time() + BUDGET_SECONDS


def parse(language: str, data: bytes) -> Node | None:
    """The root of the parse tree; None without a grammar. Raises ParseTimeout."""
    return parse_source(language, source_for_parser(language, data))


def parse_source(language: str, source: bytes, until: float | None = None) -> Node | None:
    """As `parse`, of what `source_for_parser` made. Several parts of one file share a deadline."""
    grammar = grammars.load(language)
    if grammar is None:
        return None
    from tree_sitter import Parser

    if until is not None and time.thread_time() > until:
        raise ParseTimeout(f"{language}: {BUDGET_SECONDS} s")
    if len(source) < WATCHED_MIN_BYTES:
        return Parser(grammar).parse(source).root_node
    end = deadline() if until is None else until

    def is_over_budget(*_: object) -> bool:
        return time.thread_time() > end

    def block(offset: int, _: object) -> bytes:
        return source[offset : offset + _BLOCK]

    try:
        return Parser(grammar).parse(block, progress_callback=is_over_budget).root_node
    except ValueError as error:  # "Parsing failed": it was stopped
        raise ParseTimeout(f"{language}: {BUDGET_SECONDS} s") from error


def source_for_parser(language: str, data: bytes) -> bytes:
    """The source for the parser, with unchanged byte offsets.

    Grammars end lines and comments at \\n only; macros hide the definitions of C around them (c_macros.py).
    """
    if b"\r" in data:
        data = _LONE_RETURN.sub(b"\n", data)
    if language in _DIALECTS:
        known = b"final" if language == "apex" else b"const"
        data = _DIALECTS[language].sub(lambda found: known.ljust(len(found[0])), data)
    if language == "apex":
        data = _GLOBAL.sub(b"public", data)
    if language in ("c", "cpp", "objc", "opencl"):
        return without_macros(language, data)
    return data
