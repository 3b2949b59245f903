"""Runs a server over a pair of streams until the client leaves, dies, or is not who it should be."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from c2llm_lsp.server.app import App
from c2llm_lsp.server.transport.admission import Admission
from c2llm_lsp.server.transport.json_rpc import JsonRpcProtocol
from c2llm_lsp.server.transport.messages import Stream, next_body
from c2llm_lsp.server.transport.streams import Writer, feed

HOST = "127.0.0.1"
SWITCH_SECONDS = 0.0005  # that other threads keep Python from the one that reads messages; its own default is 5 ms
ORPHAN_SECONDS = 1.0  # between two checks of whether the parent process lives, while no client is connected

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
    """Serve one client whose first message has been read, and answered or not, by `fast_initialize`.

    The exit code is LSP's: 0 after `shutdown`, else 1.
    """
    return _leave(asyncio.run(_over_stdio(source, out, first, answered)))


def serve_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    """Serve one client on a port of this machine; 0 takes a free one. `announce` is called with it.

    The client shows `token` in its initialization options. Raises OSError where the port cannot be had.
    """
    return _leave(asyncio.run(_over_tcp(port, token, announce)))


async def _over_stdio(source: BinaryIO, out: BinaryIO, first: bytes, answered: bool) -> int:
    app = App()
    writer = Writer(out, lambda: app.services.loop.call_soon_threadsafe(app.services.exit, 1))
    stream = feed(source, asyncio.get_running_loop())
    return await _converse(app, stream, writer, first, answered=answered)


async def _over_tcp(port: int, token: str, announce: Callable[[int], None]) -> int:
    admission = Admission(token)
    connected = admission.client
    listening = await asyncio.start_server(admission.accept, HOST, port)
    announce(listening.sockets[0].getsockname()[1])
    orphaned = asyncio.ensure_future(_orphaned(os.getppid()))
    await asyncio.wait((connected, orphaned), return_when=asyncio.FIRST_COMPLETED)
    orphaned.cancel()
    listening.close()
    if not connected.done():
        logger.info("The process that started the server has ended, and no client has connected.")
        return 1
    reader, writer, first = connected.result()
    app = App()
    return await _converse(app, reader, _SocketWriter(app, writer), first)


async def _orphaned(parent: int) -> None:
    """Until the process that started this one has ended. On Windows that cannot be told so."""
    while os.getppid() == parent:
        await asyncio.sleep(ORPHAN_SECONDS)


class _SocketWriter:
    """A socket as the protocol writes to it, from any thread."""

    def __init__(self, app: App, writer: asyncio.StreamWriter) -> None:
        self._loop, self._writer = app.services.loop, writer

    def write(self, data: bytes) -> None:
        self._loop.call_soon_threadsafe(self._writer.write, data)

    def close(self) -> None:
        self._writer.close()


async def _converse(
    app: App, stream: Stream, writer: Writer | _SocketWriter, first: bytes, *, answered: bool = False
) -> int:
    """Read and handle messages until the end."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # The collector looks at all that it knows now and then, and holds everything up meanwhile: 55 ms for 86,000 objects,
    # nearly all of which stay as long as the server does. Those of an open folder follow when it is open.
    gc.freeze()
    gc.enable()
    app.protocol.set_writer(writer)
    if first:
        app.protocol.receive_body(first, answered=answered)
    reading = asyncio.ensure_future(_read(app.protocol, stream))
    exited = asyncio.ensure_future(app.services.exited.wait())
    await asyncio.wait((reading, exited), return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, exited):
        task.cancel()
    await app.services.close()
    await asyncio.sleep(0)  # what the last answers have queued
    writer.close()
    return app.services.exit_code if app.services.exit_code is not None else 1


async def _read(protocol: JsonRpcProtocol, stream: Stream) -> None:
    while (body := await next_body(stream)) is not None:
        protocol.receive_body(body)


def _leave(code: int) -> int:
    """The streams are closed and the index is safe: nobody waits for a thread that is still at work."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
