"""Razor: C# in HTML, in blocks of braces.

`@code` and `@functions` hold members of the page's class, `@{` holds statements, which can have markup in them. What follows an
`@` elsewhere is part of the markup.
"""

from __future__ import annotations

import re
from dataclasses import replace

from retrieval.chunking.embedded.markup import markup_regions
from retrieval.chunking.embedded.regions import MAX_REGIONS, Element, Region, region_of, without
from retrieval.chunking.line_index import LineIndex

_BLOCK = re.compile(rb"@\*|@(code|functions)?[ \t]{0,8}(?:\r?\n[ \t]{0,80})?\{")
# Comments, texts, characters and braces of C#; an apostrophe in markup is none of these.
_TOKEN = re.compile(rb'//[^\r\n]*|/\*|@\*|\$?@"|@?\$"|"|\'(?:\\.[^\'\r\n]{0,8}|[^\\\'\r\n])\'|[{}]')
_END_OF_TEXT = re.compile(rb'\\.|"|[\r\n]')
_END_OF_VERBATIM = re.compile(rb'""|"')


def razor(lines: LineIndex) -> list[Region]:
    """The blocks of C# and the markup around them."""
    data = lines.data
    blocks: list[Region] = []
    spans: list[tuple[int, int]] = []
    at = 0
    while len(spans) < MAX_REGIONS and (match := _BLOCK.search(data, at)) is not None:
        if match[0] == b"@*":
            end = data.find(b"*@", match.end())
            at = end + 2 if end >= 0 else len(data)
            continue
        stop = _end_of_block(data, match.end())
        at = min(stop + 1, len(data))
        element = Element(match.start(), match.end(), stop, at)
        members = match[1] is not None
        region = region_of(lines, element, "csharp", (b"class _ {", b"}") if members else (b"", b""))
        if region is not None and (members or b"\n" in data[element.start : element.stop]):
            blocks.append(replace(region, are_members=members))
            spans.append((element.begin, element.end))
    return [*markup_regions(lines, without(data, spans), "html"), *blocks]


def _end_of_block(data: bytes, at: int) -> int:
    """Where the brace is that closes a block; the end of the file without one."""
    depth = 1
    while (match := _TOKEN.search(data, at)) is not None:
        token, at = match[0], match.end()
        if token == b"{":
            depth += 1
        elif token == b"}":
            depth -= 1
            if not depth:
                return match.start()
        elif token in (b"/*", b"@*"):
            end = data.find(token[::-1], at)
            at = end + 2 if end >= 0 else len(data)
        elif token.endswith(b'"') and token[:1] != b"'":
            at = _end_of_text(data, at, _END_OF_VERBATIM if b"@" in token else _END_OF_TEXT)
    return len(data)


def _end_of_text(data: bytes, at: int, pattern: re.Pattern[bytes]) -> int:
    while (match := pattern.search(data, at)) is not None:
        at = match.end()
        if match[0] != b'""' and match[0][:1] != b"\\":
            return at
    return len(data)
