"""`initialize`: what the client can do is noted, and folders open in the background."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psutil
from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability
from pygls.uris import from_fs_path

from c2llm_lsp.server.handlers.editor_settings import use_options
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.state import ClientFeatures
from c2llm_lsp.server.text.positions import Encoding

PARENT_EVERY = 2.0  # seconds between two checks of whether the editor lives
# Clients whose file events cover whole trees. Others that offer events tell of less: Helix of what it saves itself, Eglot
# of folders that were there at the start.
WATCH_ALL = ("Visual Studio Code", "Code - OSS", "VSCodium", "code-server", "Neovim", "Zed")
SILENT_OPENERS = ("helix",)  # clients that show documents and, in some versions, do not say so


def initialize(server: Services, params: lsp.InitializeParams) -> None:
    """The answer comes from `fast_initialize`."""
    server.state.client = client_features(params)
    use_options(server, params.initialization_options)
    for uri, name in _folders(params):
        server.folders.add(uri, name)
    if params.process_id is not None:
        with suppress(psutil.Error, ValueError):  # there is no such process
            server.loop.create_task(_exit_with(server, psutil.Process(params.process_id)))


def client_features(params: lsp.InitializeParams) -> ClientFeatures:
    can = params.capabilities
    name = params.client_info.name if params.client_info else ""
    return ClientFeatures(
        name=name,
        encoding=Encoding(ServerCapabilitiesBuilder.choose_position_encoding(can)),
        progress=_can(can, "window.work_done_progress"),
        file_events=_can(can, "workspace.did_change_watched_files.dynamic_registration") and name.startswith(WATCH_ALL),
        show_document=name in SILENT_OPENERS or _can(can, "window.show_document.support"),
        code_action_literals=_can(can, "text_document.code_action.code_action_literal_support"),
        disabled_code_actions=_can(can, "text_document.code_action.disabled_support"),
        related_information=_can(can, "text_document.publish_diagnostics.related_information"),
        configuration=_can(can, "workspace.configuration"),
        configuration_events=_can(can, "workspace.did_change_configuration.dynamic_registration"),
    )


def _can(capabilities: lsp.ClientCapabilities, name: str) -> bool:
    return bool(get_capability(capabilities, name))


def _folders(params: lsp.InitializeParams) -> list[tuple[str, str]]:
    if params.workspace_folders:
        return [(folder.uri, folder.name) for folder in params.workspace_folders if folder.uri.startswith("file:")]
    uri = params.root_uri or (from_fs_path(params.root_path) if params.root_path else None)
    return [(uri, "")] if uri and uri.startswith("file:") else []


async def _exit_with(server: Services, parent: psutil.Process) -> None:
    """Leave when the editor dies without `exit`, though nobody may have asked how it ended."""
    while _alive(parent):
        await asyncio.sleep(PARENT_EVERY)
    server.exit(1)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # somebody else's, of which the system says no more
        return True
