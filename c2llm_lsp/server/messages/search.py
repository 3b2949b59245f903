"""`c2llm/search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2llm_lsp.server import requests
from c2llm_lsp.server.messages.common import filters, limit, own_request, ready, together

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server


def register(server: Server) -> None:
    own_request(server, requests.SEARCH, requests.SearchParams, search)


async def search(server: Server, asked: requests.SearchParams) -> requests.Answer:
    folders = await ready(server, asked)
    count, wanted = limit(server, asked), filters(asked)
    answers = await server.ask(
        folders, lambda folder, workspace, cancel: (folder, workspace.search(asked.query, count, wanted, cancel=cancel))
    )
    return together(server, answers, count, folders)
