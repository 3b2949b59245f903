"""`c2llm/search`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.query_params import filters_of, limit_of, queried_folders, scopes_of
from c2llm_lsp.server.handlers.results import FolderAnswer, folder_answer, merged_answer
from c2llm_lsp.server.services import Services
from retrieval.types import SearchRequest

if TYPE_CHECKING:
    from retrieval.engine import Workspace


async def search(server: Services, params: protocol.SearchParams) -> protocol.Answer:
    """The best matches of all folders for a question or a name."""
    folders = await queried_folders(server, params)
    limit, scopes = limit_of(server, params), scopes_of(server, params, folders)

    def query(folder: Folder, workspace: Workspace, cancel: threading.Event) -> FolderAnswer:
        filters = filters_of(params, scopes.get(folder.uri))
        answer = workspace.search(SearchRequest(params.query, filters, limit), cancel=cancel)
        return folder_answer(folder, answer, server.state.encoding)

    return merged_answer(server, await server.queries.query(folders, query), limit, folders)
