"""Runs the embeddings server until it is told to stop; requests that are under way are answered first."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from c2llm_lsp.embeddings_server.app import Serving, application
from c2llm_lsp.http_connections import BACKLOG, bounded_protocol
from c2llm_lsp.http_serving import bound

STOP_SECONDS = 10  # for what is under way; then it is broken off
KEEP_ALIVE_SECONDS = 75  # longer than clients keep a connection, so that it is they who close it
SWITCH_SECONDS = 0.0005  # that one thread keeps Python from the others; its own default is 5 ms


def run(serving: Serving, host: str, port: int, announce: Callable[[int], None]) -> int:
    """Serve until SIGINT or SIGTERM; port 0 takes a free one. `announce` is told which, once it can be called.

    Raises SettingsError where the port cannot be had.
    """
    listening = bound(host, port)
    config = uvicorn.Config(
        application(serving),
        http=bounded_protocol(),
        backlog=BACKLOG,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,  # who asks for what is nobody's business
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="on",
        ws="none",
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    announce(listening.getsockname()[1])
    _Server(config).run(sockets=[listening])
    return 0


class _Server(uvicorn.Server):
    """Being told to stop is no failure; uvicorn's own would die of the signal once it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
