"""Messages from bytes (LSP 3.17, base protocol): headers, length, JSON. What cannot be read raises `Unreadable`, and the next
message is read.

JSON that is nested deeper than any message is refused before it is decoded: decoding, checking and encoding all recurse.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any, Protocol

from c2llm_lsp.server.fast_initialize import MAX_NESTING, content_length, too_deep

MAX_MESSAGE = 256 * 1024 * 1024  # bytes; a length beyond it is not that of a message
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
_SURROGATE_BYTES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")  # as JSON escapes them, or as bytes
_SURROGATES = re.compile("[\ud800-\udfff]")

logger = logging.getLogger(__name__)


class Unreadable(Exception):
    """A message that is not JSON, or not an object; `code` is JSON-RPC's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Stream(Protocol):
    """What messages are read from."""

    async def readline(self) -> bytes: ...

    async def readexactly(self, n: int) -> bytes: ...


async def next_body(stream: Stream, most: int = MAX_MESSAGE) -> bytes | None:
    """The body of the next message; None at the end of the stream. Raises Unreadable for one that is longer than `most`."""
    length = await _next_length(stream)
    if length is None:
        return None
    if length > most:
        raise Unreadable(INVALID_REQUEST, f"A message of {length} bytes is too long here.")
    try:
        return await stream.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def parse(body: bytes) -> dict[str, Any]:
    """A message from its JSON. Raises Unreadable."""
    if too_deep(body):
        text = f"A message of {len(body)} bytes is nested deeper than {MAX_NESTING} levels."
        raise Unreadable(PARSE_ERROR, text)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(PARSE_ERROR, f"A message of {len(body)} bytes is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise Unreadable(INVALID_REQUEST, "A message must be a JSON object.")
    return _without_surrogates(message) if _SURROGATE_BYTES.search(body) else message


def _without_surrogates(value: Any) -> Any:
    """The same with U+FFFD for halves of surrogate pairs, which no encoding can write; it is as wide in each of LSP's."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value


async def _next_length(stream: Stream) -> int | None:
    """The length in the next header; lines that belong to no header are skipped."""
    length: int | None = None
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than any header
            continue
        if not line:
            return None
        if b"content-length" in line.lower():
            length = content_length(line)
            if length is None or length > MAX_MESSAGE:
                length = None
                logger.warning("Skipped a header without a usable length: %r", line[-80:])
        elif not line.strip() and length is not None:
            return length
