"""Settings of the editor: `initializationOptions`, `workspace/configuration` and `workspace/didChangeConfiguration`.

They are those of the command line, under the same names or in camelCase, in a section "c2llm" or bare.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from c2llm_lsp.render.sentences import sentence
from c2llm_lsp.settings import EDITOR, from_editor, load
from retrieval.errors import SettingsError

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

SECTION = "c2llm"
LIVE = {"results", "context_lines", "link", "near_duplicates", "debounce_ms"}  # the others need the index opened again

logger = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: lsp.DidChangeConfigurationParams) -> None:
        if not await _ask(server):
            take(server, params.settings)
        _follow(server)


def take(server: Server, options: Any) -> None:
    """Take over the settings that a client sends; what is wrong with one is said, and it is left out."""
    table = options if isinstance(options, dict) else {}
    if isinstance(section := table.get(SECTION), dict):
        table = section
    server.chosen, warnings = from_editor(table)
    for warning in warnings:
        server.tell(warning)
    try:
        server.settings = load(chosen=dict(server.chosen), chosen_by=EDITOR).settings
    except SettingsError as error:
        server.tell(sentence(error))
    server.edits.wait_for(server.settings.debounce_ms / 1000)


async def begin(server: Server) -> None:
    """After `initialized`: ask for the settings, and to be told of changes."""
    can = server.client_capabilities
    if get_capability(can, "workspace.did_change_configuration.dynamic_registration", False):
        registration = lsp.Registration(id="c2llm-settings", method=lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
        try:
            await server.client_register_capability_async(lsp.RegistrationParams([registration]))
        except JsonRpcException as error:
            logger.info("The client tells of no changed settings: %s", error)
    if await _ask(server):
        _follow(server)


async def _ask(server: Server) -> bool:
    """Ask the client for its settings; whether it gave any."""
    if not get_capability(server.client_capabilities, "workspace.configuration", False):
        return False
    wanted = lsp.ConfigurationParams([lsp.ConfigurationItem(section=SECTION)])
    try:
        answer = await server.workspace_configuration_async(wanted)
    except JsonRpcException as error:
        logger.info("The client gives no settings: %s", error)
        return False
    if not answer or not isinstance(answer[0], dict):
        return False
    take(server, answer[0])
    return True


def _follow(server: Server) -> None:
    """Make changed settings hold. Compared is with those that do: answers to two questions may both come after them."""
    before, server.held = server.held, dict(server.chosen)
    changed = {name for name in before.keys() | server.chosen.keys() if before.get(name) != server.chosen.get(name)}
    if changed - LIVE:
        for folder in tuple(server.folders):
            server.renew(folder)
    if "near_duplicates" in changed:
        server.hints.follow()
