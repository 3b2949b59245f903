"""Runs a server over a pair of streams until the client leaves, dies, or is not who it should be."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import hmac
import logging
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from c2llm_lsp.server.app import Server
from c2llm_lsp.server.handlers import register
from c2llm_lsp.server.transport import Stream, Unreadable, Writer, feed, next_body, parse

HOST = "127.0.0.1"
SWITCH_SECONDS = 0.0005  # that other threads keep Python from the one that reads messages; its own default is 5 ms
GREETING_SECONDS = 10.0  # for a client over TCP to say who it is
ORPHAN_SECONDS = 1.0  # between two looks at who started the server, while no client is there

logger = logging.getLogger(__name__)


def log_to(file: str | None, level: str) -> None:
    """Log to a file, or to standard error, which editors collect."""
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handler = logging.FileHandler(file) if file else logging.StreamHandler()
    logging.basicConfig(handlers=[handler], level=level.upper(), format=form, force=True)
    faulthandler.enable(handler.stream or sys.stderr)  # where every thread was when a library crashed
    # pygls logs each message with all it holds at INFO: people's code, and megabytes of it.
    logging.getLogger("pygls").setLevel(max(logging.WARNING, logging.getLogger().level))


def serve_stdio(source: BinaryIO, out: BinaryIO, first: bytes, *, answered: bool) -> int:
    """Serve one client whose first message has been read, and answered or not, by `greeting`.

    The exit code is LSP's: 0 after `shutdown`, else 1.
    """
    return _leave(asyncio.run(_over_stdio(source, out, first, answered)))


def serve_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    """Serve one client on a port of this machine; 0 takes a free one. `announce` is told which it is.

    The client shows `token` in its initialization options. Raises OSError where the port cannot be had.
    """
    return _leave(asyncio.run(_over_tcp(port, token, announce)))


async def _over_stdio(source: BinaryIO, out: BinaryIO, first: bytes, answered: bool) -> int:
    server = Server()
    writer = Writer(out, lambda: server.from_thread(server.end, 1))
    stream = feed(source, asyncio.get_running_loop())
    return await _converse(server, stream, writer, first, answered=answered)


async def _over_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]]
    came = asyncio.get_running_loop().create_future()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await _greeting(reader, token)
        if first is None or came.done():
            writer.close()
        else:
            came.set_result((reader, writer, first))

    listening = await asyncio.start_server(greet, HOST, port)
    announce(listening.sockets[0].getsockname()[1])
    orphaned = asyncio.ensure_future(_orphaned(os.getppid()))
    await asyncio.wait((came, orphaned), return_when=asyncio.FIRST_COMPLETED)
    orphaned.cancel()
    listening.close()
    if not came.done():
        logger.info("Who started the server is gone, and nobody has come.")
        return 1
    reader, writer, first = came.result()
    server = Server()
    return await _converse(server, reader, _OverSocket(server, writer), first)


async def _orphaned(parent: int) -> None:
    """Until the process that started this one has ended. On Windows that cannot be told so."""
    while os.getppid() == parent:
        await asyncio.sleep(ORPHAN_SECONDS)


async def _greeting(reader: asyncio.StreamReader, token: str) -> bytes | None:
    """The first message, if it is an `initialize` with the token."""
    try:
        first = await asyncio.wait_for(next_body(reader), GREETING_SECONDS)
        shown = parse(first)["params"]["initializationOptions"]["token"] if first else ""
    except (Unreadable, asyncio.TimeoutError, OSError, LookupError, TypeError):
        return None
    known = isinstance(shown, str) and hmac.compare_digest(shown.encode(), token.encode())
    return first if known else None


class _OverSocket:
    """A socket as the protocol writes to it, from any thread."""

    def __init__(self, server: Server, writer: asyncio.StreamWriter) -> None:
        self._server, self._writer = server, writer

    def write(self, data: bytes) -> None:
        self._server.from_thread(self._writer.write, data)

    def close(self) -> None:
        self._writer.close()


async def _converse(
    server: Server, stream: Stream, writer: Writer | _OverSocket, first: bytes, *, answered: bool = False
) -> int:
    """Read and handle messages until the end."""
    sys.setswitchinterval(SWITCH_SECONDS)
    register(server)
    # The collector looks at all that it knows now and then, and holds everything up meanwhile: 55 ms for 86,000 objects,
    # nearly all of which stay as long as the server does. Those of an open folder follow when it is open.
    gc.freeze()
    gc.enable()
    server.protocol.set_writer(writer)
    if first:
        _receive(server, first, answered)
    reading = asyncio.ensure_future(_read(server, stream))
    ended = asyncio.ensure_future(server.ended.wait())
    await asyncio.wait((reading, ended), return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, ended):
        task.cancel()
    await server.close_all()
    await asyncio.sleep(0)  # what the last answers have queued
    writer.close()
    return server.exit_code if server.exit_code is not None else 1


def _receive(server: Server, body: bytes, answered: bool = False) -> None:
    try:
        server.protocol.receive(parse(body), answered=answered)
    except Unreadable as error:
        server.protocol.refuse_unreadable(error.code, str(error))


async def _read(server: Server, stream: Stream) -> None:
    while True:
        try:
            body = await next_body(stream)
            if body is None:
                return
            server.protocol.receive(parse(body))
        except Unreadable as error:
            server.protocol.refuse_unreadable(error.code, str(error))


def _leave(code: int) -> int:
    """The streams are closed and the index is safe: nobody waits for a thread that is still at work."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
