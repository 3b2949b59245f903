"""`workspace/didChangeConfiguration`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.handlers.editor_settings import fetch_settings, settings_in, use_settings
from c2llm_lsp.server.services import Services


async def did_change_configuration(server: Services, params: lsp.DidChangeConfigurationParams) -> None:
    """Use the settings that the client has now: those it answers with, else those it has sent."""
    table = await fetch_settings(server)
    if table is None:
        table = settings_in(params.settings)
    if table is not None:
        use_settings(server, table)
