"""Runs the search view on this machine until it is told to stop, and keeps the index current meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable

import uvicorn

from c2llm_lsp.http_connections import bounded_protocol
from c2llm_lsp.http_serving import bound
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import Settings
from c2llm_lsp.web.app import application
from c2llm_lsp.web.views import Views
from retrieval.engine import Workspace

HOST = "127.0.0.1"
STOP_SECONDS = 2  # for answers that are under way
SESSION_STOP_SECONDS = 5.0


def run(workspace: Workspace, settings: Settings, port: int, token: str, announce: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; port 0 takes a free one, and `announce` is told which. Raises SettingsError."""
    listening = bound(HOST, port)
    views = Views(workspace, settings.results)
    session = Session(workspace, lambda _: None, process_settings=settings)
    config = uvicorn.Config(
        application(views.table(), token),
        http=bounded_protocol(),
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,  # what is asked for is nobody's business
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="off",
        ws="none",
    )
    session.start()
    try:
        announce(listening.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        views.stop()
        session.stop(SESSION_STOP_SECONDS)
