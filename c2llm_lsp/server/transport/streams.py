"""The streams of a client: bytes in, bytes out.

A client that stops reading never holds up its own input, and any thread may send: what does not fit into the pipe waits
for a thread of its own. Each hand-over between threads waits for the interpreter's lock, so where the system can tell that
there is something to read (pipes and sockets of Unix) the loop reads by itself, and short messages are written at once.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import queue
import select
import threading
from collections.abc import Callable
from typing import BinaryIO

FLUSH_SECONDS = 1.0
_CHUNK = 64 * 1024
_ATOMIC = 512  # bytes that every pipe takes whole where it says that there is room (POSIX, PIPE_BUF)

logger = logging.getLogger(__name__)


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
        _feed_on_loop(source, loop, stream)
    except (NotImplementedError, OSError, ValueError):  # Windows, a file, or nothing that could be watched
        _feed_from_thread(source, loop, stream)
    return stream


def _feed_on_loop(source: BinaryIO, loop: asyncio.AbstractEventLoop, stream: asyncio.StreamReader) -> None:
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
