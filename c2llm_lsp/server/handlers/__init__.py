"""What the server understands: a file for each message, or for a message and the notification that undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2llm_lsp.server.handlers import (
    code_actions,
    commands,
    configuration,
    context,
    documents,
    explain,
    initialize,
    progress,
    search,
    shutdown,
    similar,
    status,
    symbols,
    watched_files,
    workspace_folders,
)

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

_ALL = (
    code_actions,
    commands,
    configuration,
    context,
    documents,
    explain,
    initialize,
    progress,
    search,
    shutdown,
    similar,
    status,
    symbols,
    watched_files,
    workspace_folders,
)


def register(server: Server) -> None:
    """Teach a server every message."""
    for message in _ALL:
        message.register(server)
