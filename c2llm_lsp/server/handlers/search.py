"""`c2llm/search`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.common import Part, filters, limit, own_request, part, ready, together

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.engine import Workspace


def register(server: Server) -> None:
    own_request(server, protocol_types.SEARCH, protocol_types.SearchParams, search)


async def search(server: Server, asked: protocol_types.SearchParams) -> protocol_types.Answer:
    folders = await ready(server, asked)
    count, wanted = limit(server, asked), filters(asked)

    def ask(folder: Folder, workspace: Workspace, cancel: threading.Event) -> Part:
        return part(server, folder, workspace.search(asked.query, count, wanted, cancel=cancel))

    return together(server, await server.ask(folders, ask), count, folders)
