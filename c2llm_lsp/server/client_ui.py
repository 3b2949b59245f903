"""Results for people whose editor has no plugin of ours: a list to pick from, a file that opens, else a message.

Whoever answers such a question may take a day, or never answer: nothing waits for it but the task that asked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException
from pygls.uris import from_fs_path, to_fs_path

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.context_files import save_context
from retrieval.errors import StoreError

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

PICKED_FROM = 5  # results: editors show them as buttons
NOTHING = "Nothing was found."
SILENT_OPENERS = ("helix",)  # clients that show documents and, in some versions, do not say so

logger = logging.getLogger(__name__)


async def offer(server: Server, heading: str, answer: protocol_types.Answer) -> None:
    """Let the person pick one of the best results and show it."""
    places = dict(zip(_titles(server, answer.hits[:PICKED_FROM]), answer.hits, strict=False))
    if not places:
        server.say(next(iter(answer.notes), NOTHING))
        return
    if opens_documents(server):
        try:
            picked = await _pick(server, heading, list(places))
        except JsonRpcException as error:
            logger.info("The client offers no choice: %s", error)
            if await _open_list(server, heading, answer.hits):
                return
        else:
            if (hit := places.get(picked)) is not None:
                start = hit.selection_range.start
                await open_document(server, hit.uri, protocol_types.Range(start=start, end=start))
            return
    server.say("\n".join([heading, *places]))


def opens_documents(server: Server) -> bool:
    if server.client_name in SILENT_OPENERS:
        return True
    can = get_capability(server.client_capabilities, "window.show_document")
    return can is not None and bool(can.support)


async def open_document(server: Server, uri: str, selection: protocol_types.Range | None = None) -> bool:
    """Whether the client has shown it."""
    span = None if selection is None else protocol_types.lsp_range(selection)
    try:
        shown = await server.window_show_document_async(
            lsp.ShowDocumentParams(uri=uri, external=False, take_focus=True, selection=span)
        )
    except JsonRpcException as error:
        logger.info("The client does not show %s: %s", uri, error)
        return False
    return bool(shown and shown.success)


async def _open_list(server: Server, heading: str, hits: Sequence[protocol_types.Hit]) -> bool:
    """Open a file with a place on each line, from which editors go there: whether the client has shown it."""
    places = [(to_fs_path(hit.uri) or hit.path, hit.selection_range.start, hit.label) for hit in hits]
    lines = [f"{path}:{at.line + 1}:{at.character + 1} {name}".rstrip() for path, at, name in places]
    text = "\n".join([heading, "", *lines, ""])
    try:
        file = await server.loop.run_in_executor(server.asking, save_context, text, server.settings.cache)
    except StoreError as error:
        logger.warning("%s", error)
        return False
    return await open_document(server, from_fs_path(str(file)) or "")


async def _pick(server: Server, heading: str, titles: Sequence[str]) -> str:
    actions = [lsp.MessageActionItem(title) for title in titles]
    picked = await server.window_show_message_request_async(
        lsp.ShowMessageRequestParams(lsp.MessageType.Info, heading, actions)
    )
    return picked.title if picked is not None else ""


def _titles(server: Server, hits: Sequence[protocol_types.Hit]) -> list[str]:
    """`path:line name`, each once: clients answer with the title alone."""
    names = {folder.uri: f"{folder.name}/" for folder in server.folders} if len(server.folders) > 1 else {}
    titles: list[str] = []
    for hit in hits:
        place = f"{names.get(hit.folder, '')}{hit.path}:{hit.selection_range.start.line + 1}"
        title = f"{place} {hit.label}".strip()
        titles.append(title if title not in titles else f"{title} ({len(titles) + 1})")
    return titles
