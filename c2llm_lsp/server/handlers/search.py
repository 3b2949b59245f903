"""`c2llm/search`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.common import Part, filters, limit, own_request, part, ready, together
from retrieval.types import SearchRequest

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.engine import Workspace


def register(server: Server) -> None:
    own_request(server, protocol_types.SEARCH, protocol_types.SearchParams, search)


async def search(server: Server, asked: protocol_types.SearchParams) -> protocol_types.Answer:
    folders = await ready(server, asked)
    count = limit(server, asked)
    request = SearchRequest(asked.query, filters(asked), count)

    def ask(folder: Folder, workspace: Workspace, cancel: threading.Event) -> Part:
        return part(server, folder, workspace.search(request, cancel=cancel))

    return together(server, await server.ask(folders, ask), count, folders)
