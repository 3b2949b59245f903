"""Runs a server over a pair of streams until the client leaves, dies, or is not who it should be."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from c2llm_lsp.server.app import Server
from c2llm_lsp.server.messages import register
from c2llm_lsp.server.wire import Stream, Unreadable, Writer, feed, next_message

HOST = "127.0.0.1"
SWITCH_SECONDS = 0.001  # how long other threads keep Python from the one that reads messages; Python's own is 5 ms
GREETING_SECONDS = 10.0  # for a client over TCP to say who it is
CLOSE_SECONDS = 0.9

logger = logging.getLogger(__name__)


def serve_stdio() -> int:
    """Serve one client on standard input and output. The exit code is LSP's: 0 after `shutdown`, else 1."""
    source, out = _own_streams()
    return _leave(asyncio.run(_over_stdio(source, out)))


def serve_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    """Serve one client on a port of this machine; 0 takes a free one. `announce` is told which it is.

    The client shows `token` in its initialization options. Raises OSError where the port cannot be had.
    """
    return _leave(asyncio.run(_over_tcp(port, token, announce)))


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: what else prints goes to standard error, and children read nothing."""
    source, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, out


async def _over_stdio(source: BinaryIO, out: BinaryIO) -> int:
    server = Server()
    writer = Writer(out, lambda: server.from_thread(server.end, 1))
    return await _converse(server, feed(source, asyncio.get_running_loop()), writer)


async def _over_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, Any]]]
    came = asyncio.get_running_loop().create_future()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await _greeting(reader, token)
        if first is None or came.done():
            writer.close()
        else:
            came.set_result((reader, writer, first))

    listening = await asyncio.start_server(greet, HOST, port)
    announce(listening.sockets[0].getsockname()[1])
    reader, writer, first = await came
    listening.close()
    server = Server()
    return await _converse(server, reader, _OverSocket(server, writer), first)


async def _greeting(reader: asyncio.StreamReader, token: str) -> dict[str, Any] | None:
    """The first message, if it is an `initialize` with the token."""
    try:
        first = await asyncio.wait_for(next_message(reader), GREETING_SECONDS)
        shown = first["params"]["initializationOptions"]["token"] if first else ""
    except (Unreadable, asyncio.TimeoutError, OSError, LookupError, TypeError):
        return None
    return first if isinstance(shown, str) and hmac.compare_digest(shown.encode(), token.encode()) else None


class _OverSocket:
    """A socket as the protocol writes to it, from any thread."""

    def __init__(self, server: Server, writer: asyncio.StreamWriter) -> None:
        self._server, self._writer = server, writer

    def write(self, data: bytes) -> None:
        self._server.from_thread(self._writer.write, data)

    def close(self) -> None:
        self._writer.close()


async def _converse(
    server: Server, stream: Stream, writer: Writer | _OverSocket, first: dict[str, Any] | None = None
) -> int:
    """Read and handle messages until the end."""
    sys.setswitchinterval(SWITCH_SECONDS)
    register(server)
    server.protocol.set_writer(writer)
    if first is not None:
        server.protocol.receive(first)
    reading = asyncio.ensure_future(_read(server, stream))
    ended = asyncio.ensure_future(server.ended.wait())
    await asyncio.wait((reading, ended), return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, ended):
        task.cancel()
    try:
        await asyncio.wait_for(server.close_all(), CLOSE_SECONDS)
    except asyncio.TimeoutError:
        logger.warning("Something did not stop in time; the index keeps what is stored.")
    await asyncio.sleep(0)  # what the last answers have queued
    writer.close()
    return server.exit_code if server.exit_code is not None else 1


async def _read(server: Server, stream: Stream) -> None:
    while True:
        try:
            message = await next_message(stream)
        except Unreadable as error:
            server.protocol.refuse_unreadable(error.code, str(error))
            continue
        if message is None:
            return
        server.protocol.receive(message)


def _leave(code: int) -> int:
    """The streams are closed and the index is safe: nobody waits for a thread that is still at work."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
