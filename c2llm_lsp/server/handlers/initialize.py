"""`initialize` and `initialized`: what the client can do is noted, and folders open in the background."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability
from pygls.uris import from_fs_path

from c2llm_lsp.server.handlers import configuration, watched_files
from c2llm_lsp.server.positions import Encoding

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

PARENT_EVERY = 2.0  # seconds between two looks at whether the editor lives
# Clients whose file events cover whole trees. Others that offer events tell of less: Helix of what it saves itself, Eglot
# of folders that were there at the start.
WATCH_ALL = ("Visual Studio Code", "Code - OSS", "VSCodium", "code-server", "Neovim", "Zed")


def register(server: Server) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        can = params.capabilities
        server.encoding = Encoding(ServerCapabilitiesBuilder.choose_position_encoding(can))
        server.shows_progress = bool(get_capability(can, "window.work_done_progress", False))
        server.client_name = params.client_info.name if params.client_info else ""
        server.client_watches = watches_all(params)
        configuration.start(server, params.initialization_options)
        for uri, name in _folders(params):
            server.add_folder(uri, name)
        if params.process_id is not None:
            with suppress(psutil.Error, ValueError):  # it is nobody's number
                server.keep(asyncio.ensure_future(_end_with(server, psutil.Process(params.process_id))))

    @server.feature(lsp.INITIALIZED)
    async def initialized(_: lsp.InitializedParams) -> None:
        events = [watched_files.ask_for_events(server)] if server.client_watches else []
        await asyncio.gather(configuration.begin(server), *events)  # a client may answer the one and not the other


def watches_all(params: lsp.InitializeParams) -> bool:
    offered = get_capability(params.capabilities, "workspace.did_change_watched_files.dynamic_registration", False)
    return bool(offered and params.client_info and params.client_info.name.startswith(WATCH_ALL))


def _folders(params: lsp.InitializeParams) -> list[tuple[str, str]]:
    if params.workspace_folders:
        return [(folder.uri, folder.name) for folder in params.workspace_folders if folder.uri.startswith("file:")]
    uri = params.root_uri or (from_fs_path(params.root_path) if params.root_path else None)
    return [(uri, "")] if uri and uri.startswith("file:") else []


async def _end_with(server: Server, parent: psutil.Process) -> None:
    """Leave when the editor dies without a word, though nobody may have asked how it ended."""
    while _lives(parent):
        await asyncio.sleep(PARENT_EVERY)
    server.end(1)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # somebody else's, of which the system says no more
        return True
