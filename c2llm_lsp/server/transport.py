"""Messages over a pair of streams: headers and JSON in, JSON out (LSP 3.17, base protocol).

A client that stops reading never holds up its own input, and any thread may send: what does not fit into the pipe waits
for a thread of its own. Each hand-over between threads waits for the interpreter's lock, so where the system can tell that
there is something to read (pipes and sockets of Unix) the loop reads by itself, and short messages are written at once.
What cannot be read is answered as JSON-RPC says and the next message is read.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import queue
import re
import select
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from c2llm_lsp.server.fast_initialize import content_length

MAX_MESSAGE = 256 * 1024 * 1024  # bytes; a length beyond it is not that of a message
FLUSH_SECONDS = 1.0
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
_CHUNK = 64 * 1024
_ATOMIC = 512  # bytes that every pipe takes whole where it says that there is room (POSIX, PIPE_BUF)
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
        self._room = _room_in(out)
        self._lock = threading.Lock()
        self._waiting = 0  # messages that the thread has not written yet
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="c2llm-write", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        with self._lock:
            if not self._waiting and len(data) <= _ATOMIC and self._room():
                self._put(data)
            else:
                self._waiting += 1
                self._queue.put(data)

    def close(self) -> None:
        """Send what is left; a client that does not take it is not waited for."""
        self._queue.put(None)
        self._thread.join(FLUSH_SECONDS)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            if not self._put(data):
                return
            with self._lock:
                self._waiting -= 1

    def _put(self, data: bytes) -> bool:
        try:
            self._out.write(data)
            self._out.flush()
        except (OSError, ValueError):
            logger.info("The client no longer reads.")
            self._lost()
            return False
        return True


def _room_in(out: BinaryIO) -> Callable[[], bool]:
    """Whether `_ATOMIC` bytes can be written without waiting (POSIX, write(2) and poll(2) on pipes)."""
    try:
        poll = select.poll()
        poll.register(out.fileno(), select.POLLOUT)
    except (AttributeError, OSError, ValueError):  # another system, or no file
        return lambda: False
    return lambda: poll.poll(0) == [(out.fileno(), select.POLLOUT)]


def feed(source: BinaryIO, loop: asyncio.AbstractEventLoop) -> asyncio.StreamReader:
    """A stream of what comes in."""
    stream = asyncio.StreamReader(limit=_CHUNK, loop=loop)
    try:
        _feed_here(source, loop, stream)
    except (NotImplementedError, OSError, ValueError):  # Windows, a file, or nothing that could be watched
        _feed_from_thread(source, loop, stream)
    return stream


def _feed_here(source: BinaryIO, loop: asyncio.AbstractEventLoop, stream: asyncio.StreamReader) -> None:
    """Read in the loop's own thread whenever there is something. Raises where the loop cannot watch the file."""
    file = source.fileno()

    def more() -> None:
        try:
            data = os.read(file, _CHUNK)
        except OSError:
            data = b""
        if data:
            stream.feed_data(data)
        else:
            loop.remove_reader(file)
            stream.feed_eof()

    loop.add_reader(file, more)
    if isinstance(source, io.BufferedReader):
        os.set_blocking(file, False)  # what was read ahead with the first message, and no more
        rest = source.peek()
        os.set_blocking(file, True)
        if rest:
            stream.feed_data(source.read1(len(rest)))


def _feed_from_thread(source: BinaryIO, loop: asyncio.AbstractEventLoop, stream: asyncio.StreamReader) -> None:
    """A daemon thread: a read that waits for a client keeps nothing from ending."""

    def run() -> None:
        read = getattr(source, "read1", source.read)
        try:
            while data := read(_CHUNK):
                loop.call_soon_threadsafe(stream.feed_data, data)
            loop.call_soon_threadsafe(stream.feed_eof)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: the loop has ended
            return

    threading.Thread(target=run, name="c2llm-read", daemon=True).start()


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
