"""Settings of the editor: `initializationOptions`, `workspace/configuration` and `workspace/didChangeConfiguration`.

They are those of the command line, under the same names or in camelCase, in a section "c2llm" or bare. The options hold
where the later ones say nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from c2llm_lsp.render.error_messages import sentence
from c2llm_lsp.settings import EDITOR, SCHEMA, from_editor, load
from retrieval.errors import SettingsError

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.settings import Value

SECTION = "c2llm"
LIVE = {"results", "context_lines", "link", "near_duplicates", "debounce_ms"}  # the others need the index opened again
_NAMES = {setting.name.replace("_", "") for setting in SCHEMA}

logger = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: lsp.DidChangeConfigurationParams) -> None:
        table = await _asked(server)
        if table is None:
            table = _said(params.settings)
        if table is not None:
            _follow(server, table)


def start(server: Server, options: Any) -> None:
    """Take over the options of `initialize`."""
    server.options = _read(server, _said(options) or {})
    _hold(server, dict(server.options))


def _said(sent: Any) -> dict[str, Any] | None:
    """The table of settings in what a client sends; None where it says nothing of them, as many do in each push."""
    if not isinstance(sent, dict):
        return None
    if isinstance(section := sent.get(SECTION), dict):
        return section
    return sent if any(name.replace("_", "").lower() in _NAMES for name in sent) else None


def _read(server: Server, table: dict[str, Any]) -> dict[str, Value]:
    """The settings of a table; what is wrong with one is said, and it is left out."""
    found, warnings = from_editor(table)
    for warning in warnings:
        server.tell(warning)
    return found


def _hold(server: Server, chosen: dict[str, Value]) -> None:
    server.chosen = chosen
    try:
        server.settings = load(chosen=dict(chosen), chosen_by=EDITOR).settings
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
    if (table := await _asked(server)) is not None:
        _follow(server, table)


async def _asked(server: Server) -> dict[str, Any] | None:
    """What the client says its settings are, where it can be asked."""
    if not get_capability(server.client_capabilities, "workspace.configuration", False):
        return None
    wanted = lsp.ConfigurationParams([lsp.ConfigurationItem(section=SECTION)])
    try:
        answer = await server.workspace_configuration_async(wanted)
    except JsonRpcException as error:
        logger.info("The client gives no settings: %s", error)
        return None
    if not answer or not isinstance(answer[0], dict):
        return None
    return _said(answer[0]) or answer[0]


def _follow(server: Server, table: dict[str, Any]) -> None:
    """Make changed settings hold, each in place of the option of that name.

    An option that they repeat is theirs: editors that send one store both ways leave out there what is set no longer.
    """
    said, before = _read(server, table), server.chosen
    chosen = {**server.options, **said}
    server.options = {name: value for name, value in server.options.items() if said.get(name) != value}
    _hold(server, chosen)
    changed = {name for name in before.keys() | chosen.keys() if before.get(name) != chosen.get(name)}
    if changed - LIVE:
        for folder in tuple(server.folders):
            server.renew(folder)
    if "near_duplicates" in changed:
        server.hints.follow()
