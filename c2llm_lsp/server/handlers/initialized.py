"""`initialized`: the client is asked for its settings, and to tell of changed settings and files."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from lsprotocol import types as lsp

from c2llm_lsp.server.client import ClientError
from c2llm_lsp.server.handlers.editor_settings import fetch_settings, use_settings
from c2llm_lsp.server.services import Services

logger = logging.getLogger(__name__)


async def initialized(server: Services, _params: lsp.InitializedParams) -> None:
    """A client may answer one of these requests and not the other."""
    registrations = [_register_file_events(server)] if server.state.client.file_events else []
    await asyncio.gather(_start_configuration(server), *registrations)


async def _start_configuration(server: Services) -> None:
    if server.state.client.configuration_events:
        registration = lsp.Registration(id="c2llm-settings", method=lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
        try:
            await server.client.register_capability(registration)
        except ClientError as error:
            logger.info("The client does not notify of changed settings: %s", error)
    if (table := await fetch_settings(server)) is not None:
        use_settings(server, table)


async def _register_file_events(server: Services) -> None:
    """Register for every file; what to leave out is the index's business."""
    options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob_pattern="**/*")])
    registration = lsp.Registration("c2llm-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    try:
        await server.client.register_capability(registration)
    except ClientError as error:
        logger.warning("The client does not watch files after all: %s", error)
        server.state.client = replace(server.state.client, file_events=False)
        server.folders.reopen_all()
        return
    for folder in server.state.folders:  # nobody has told of what changed before the client watched
        folder.rescan("the client watches now")
