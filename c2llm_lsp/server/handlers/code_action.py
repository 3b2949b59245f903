"""`textDocument/codeAction`: "Find similar code" and "Copy as context for an assistant" for what is under the cursor.

Cheap, because editors ask at each move of the cursor: nothing is looked up, the commands do the work. Both are of kinds
below `refactor`, because that is in every editor's list: VS Code keeps `source` to a menu of its own, and Zed has asked
for the standard kinds only. Editors that ask by themselves to draw a light bulb get nothing: it would be on at every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lsprotocol import types as lsp

from c2llm_lsp.server.fast_initialize import CODE_ACTION_KINDS, COPY_CONTEXT, FIND_SIMILAR
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.state import ClientFeatures

_SIMILAR_KIND, _CONTEXT_KIND = CODE_ACTION_KINDS
OFFERED = (
    ("Find similar code", _SIMILAR_KIND, FIND_SIMILAR),
    ("Copy as context for an assistant", _CONTEXT_KIND, COPY_CONTEXT),
)


def code_action(server: Services, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    """The actions of the kinds that the client asks for."""
    uri, context = params.text_document.uri, params.context
    location = server.state.location(uri)
    if location is None or context.trigger_kind == lsp.CodeActionTriggerKind.Automatic:
        return []
    argument = {"textDocument": {"uri": uri}, "range": _plain(params.range)}
    return [
        action
        for title, kind, command in OFFERED
        if _requested(kind, context.only)
        and (
            action := _action(server.state.client, location[0], kind, lsp.Command(title, command, arguments=[argument]))
        )
    ]


def _action(
    client: ClientFeatures, folder: Folder, kind: str, command: lsp.Command
) -> lsp.CodeAction | lsp.Command | None:
    """In the form that the client knows; where the folder cannot be searched, nothing or why."""
    if not client.code_action_literals:
        return None if folder.unusable else command
    if not folder.unusable:
        return lsp.CodeAction(command.title, kind=kind, command=command)
    if not client.disabled_code_actions:
        return None
    return lsp.CodeAction(command.title, kind=kind, disabled=lsp.CodeActionDisabled(folder.state.message))


def _requested(kind: str, only: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """Whether a kind is one of those asked for, or below one; the empty kind is above all."""
    kinds = [getattr(above, "value", above) for above in only or ()]
    return not kinds or any(not above or kind == above or kind.startswith(f"{above}.") for above in kinds)


def _plain(span: lsp.Range) -> dict[str, Any]:
    start, end = span.start, span.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
