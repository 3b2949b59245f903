"""Settings of the editor: `initializationOptions`, `workspace/configuration` and `workspace/didChangeConfiguration`.

They are those of the command line, under the same names or in camelCase, in a section "c2llm" or bare. The options hold
where the later ones say nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.server.client import ClientError
from c2llm_lsp.server.services import Services
from c2llm_lsp.settings import EDITOR, SCHEMA, Value, from_editor, load
from retrieval.errors import SettingsError

SECTION = "c2llm"
LIVE = {"results", "context_lines", "link", "near_duplicates", "debounce_ms"}  # the others need the index opened again
_NAMES = {setting.name.replace("_", "") for setting in SCHEMA}

logger = logging.getLogger(__name__)


def use_options(server: Services, options: Any) -> None:
    """Take over the options of `initialize`."""
    server.state.settings.options = _read(server, settings_in(options) or {})
    _merge(server, dict(server.state.settings.options))


def use_settings(server: Services, table: dict[str, Any]) -> None:
    """Take over changed settings, each in place of the option of that name.

    An option that they repeat is theirs: editors that send one store both ways leave out there what is set no longer.
    """
    settings = server.state.settings
    changes, before = _read(server, table), settings.chosen
    chosen = {**settings.options, **changes}
    settings.options = {name: value for name, value in settings.options.items() if changes.get(name) != value}
    _merge(server, chosen)
    changed = {name for name in before.keys() | chosen.keys() if before.get(name) != chosen.get(name)}
    if changed - LIVE:
        server.folders.reopen_all()
    if "near_duplicates" in changed:
        server.diagnostics.setting_changed()


def settings_in(sent: Any) -> dict[str, Any] | None:
    """The table of settings in what a client sends; None where it holds none of ours, as in many notifications."""
    if not isinstance(sent, dict):
        return None
    if isinstance(section := sent.get(SECTION), dict):
        return section
    return sent if any(name.replace("_", "").lower() in _NAMES for name in sent) else None


async def fetch_settings(server: Services) -> dict[str, Any] | None:
    """The client's settings, where it can be asked for them."""
    if not server.state.client.configuration:
        return None
    try:
        answer = await server.client.configuration(SECTION)
    except ClientError as error:
        logger.info("The client sends no settings: %s", error)
        return None
    return settings_in(answer) or answer if isinstance(answer, dict) else None


def _read(server: Services, table: dict[str, Any]) -> dict[str, Value]:
    """The settings of a table; the user is told of a wrong one, and it is left out."""
    values, warnings = from_editor(table)
    for warning in warnings:
        server.client.warn_once(warning)
    return values


def _merge(server: Services, chosen: dict[str, Value]) -> None:
    """The editor's settings with those of files and environment."""
    server.state.settings.chosen = chosen
    try:
        server.state.settings.merged = load(overrides=dict(chosen), override_source=EDITOR).settings
    except SettingsError as error:
        server.client.warn_once(error_message(error))
    server.sync.set_delay(server.state.settings.merged.debounce_ms / 1000)
