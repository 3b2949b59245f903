"""Messages over a pair of streams: headers and JSON in, JSON out (LSP 3.17, base protocol).

Reading and writing each have a thread of their own: a client that stops reading never holds up its own input, and any
thread may send. What cannot be read is answered as JSON-RPC says and the next message is read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import re
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from c2llm_lsp.server.greeting import content_length

MAX_MESSAGE = 256 * 1024 * 1024  # bytes; a length beyond it is not that of a message
FLUSH_SECONDS = 1.0
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
_CHUNK = 64 * 1024
_SURROGATE_BYTES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")  # as JSON escapes them, or as bytes
_SURROGATES = re.compile("[\ud800-\udfff]")

logger = logging.getLogger(__name__)


class Unreadable(Exception):
    """A message that is not JSON, or not an object; `code` is JSON-RPC's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Stream(Protocol):
    """What is read from."""

    async def readline(self) -> bytes: ...

    async def readexactly(self, n: int) -> bytes: ...


class Writer:
    """Sends from any thread, in order, without waiting. `lost` is called once where the client no longer reads."""

    def __init__(self, out: BinaryIO, lost: Callable[[], None]) -> None:
        self._out, self._lost = out, lost
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="c2llm-write", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        """Send what is left; a client that does not take it is not waited for."""
        self._queue.put(None)
        self._thread.join(FLUSH_SECONDS)

    def _run(self) -> None:
        try:
            while (data := self._queue.get()) is not None:
                self._out.write(data)
                if self._queue.empty():
                    self._out.flush()
            self._out.flush()
        except (OSError, ValueError):
            logger.info("The client no longer reads.")
            self._lost()


def feed(source: BinaryIO, loop: asyncio.AbstractEventLoop) -> asyncio.StreamReader:
    """A stream that a daemon thread fills: a read that waits for a client keeps nothing from ending."""
    stream = asyncio.StreamReader(limit=_CHUNK, loop=loop)

    def run() -> None:
        read = getattr(source, "read1", source.read)
        try:
            while data := read(_CHUNK):
                loop.call_soon_threadsafe(stream.feed_data, data)
            loop.call_soon_threadsafe(stream.feed_eof)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: the loop has ended
            return

    threading.Thread(target=run, name="c2llm-read", daemon=True).start()
    return stream


async def next_body(stream: Stream) -> bytes | None:
    """The body of the next message; None at the end of the stream."""
    length = await _length(stream)
    if length is None:
        return None
    try:
        return await stream.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def parse(body: bytes) -> dict[str, Any]:
    """A message from its JSON. Raises Unreadable."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(PARSE_ERROR, f"A message of {len(body)} bytes is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise Unreadable(INVALID_REQUEST, "A message must be a JSON object.")
    return _whole(message) if _SURROGATE_BYTES.search(body) else message


def _whole(value: Any) -> Any:
    """The same with U+FFFD for halves of surrogate pairs, which no encoding can write; it is as wide in each of LSP's."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {_whole(name): _whole(item) for name, item in value.items()} if isinstance(value, dict) else value


async def _length(stream: Stream) -> int | None:
    """The length in the next header; lines that belong to no header are passed over."""
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
                logger.warning("A header without a usable length was passed over: %r", line[-80:])
        elif not line.strip() and length is not None:
            return length
