"""`textDocument/codeAction`: "Find similar code" and "Copy as context for an assistant" for what is under the cursor.

Cheap, because editors ask at each move of the cursor: nothing is looked up, the commands do the work. Both are of kinds
below `refactor`, because that is in every editor's list: VS Code keeps `source` to a menu of its own, and Zed has asked
for the standard kinds only. Editors that ask by themselves to draw a light bulb get nothing: it would be on at every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.capabilities import get_capability

from c2llm_lsp.server.fast_initialize import CODE_ACTION_KINDS, COPY_CONTEXT, FIND_SIMILAR

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder

_SIMILAR_KIND, _CONTEXT_KIND = CODE_ACTION_KINDS
_OFFERED = (
    ("Find similar code", _SIMILAR_KIND, FIND_SIMILAR),
    ("Copy as context for an assistant", _CONTEXT_KIND, COPY_CONTEXT),
)


def register(server: Server) -> None:
    kinds: list[lsp.CodeActionKind | str] = [*CODE_ACTION_KINDS]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def code_actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
        uri, asked = params.text_document.uri, params.context
        place = server.place_of(uri)
        if place is None or asked.trigger_kind == lsp.CodeActionTriggerKind.Automatic:
            return []
        where = {"textDocument": {"uri": uri}, "range": _plain(params.range)}
        return [
            action
            for title, kind, command in _OFFERED
            if _wanted(kind, asked.only)
            and (action := _action(server, place[0], kind, lsp.Command(title, command, arguments=[where])))
        ]


def _action(server: Server, folder: Folder, kind: str, command: lsp.Command) -> lsp.CodeAction | lsp.Command | None:
    """In the form that the client knows; where the folder cannot be asked, nothing or why."""
    can = get_capability(server.client_capabilities, "text_document.code_action")
    if can is None or can.code_action_literal_support is None:
        return None if folder.unusable else command
    if not folder.unusable:
        return lsp.CodeAction(command.title, kind=kind, command=command)
    if not can.disabled_support:
        return None
    return lsp.CodeAction(command.title, kind=kind, disabled=lsp.CodeActionDisabled(folder.standing.message))


def _wanted(kind: str, only: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """Whether a kind is one of those asked for, or below one; the empty kind is above all."""
    asked = [getattr(above, "value", above) for above in only or ()]
    return not asked or any(not above or kind == above or kind.startswith(f"{above}.") for above in asked)


def _plain(span: lsp.Range) -> dict[str, Any]:
    start, end = span.start, span.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
