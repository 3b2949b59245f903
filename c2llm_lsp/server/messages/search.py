"""`c2llm/search`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2llm_lsp.server import requests
from c2llm_lsp.server.messages.common import Part, filters, limit, own_request, part, ready, together

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.workspace import Workspace


def register(server: Server) -> None:
    own_request(server, requests.SEARCH, requests.SearchParams, search)


async def search(server: Server, asked: requests.SearchParams) -> requests.Answer:
    folders = await ready(server, asked)
    count, wanted = limit(server, asked), filters(asked)

    def ask(folder: Folder, workspace: Workspace, cancel: threading.Event) -> Part:
        return part(server, folder, workspace.search(asked.query, count, wanted, cancel=cancel))

    return together(server, await server.ask(folders, ask), count, folders)
