"""What the parameters of all queries have in common: folders, filters, limit."""

from __future__ import annotations

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError
from retrieval.types import Filters


def folders_of(server: Services, uri: str | None) -> list[Folder]:
    """The one folder that is named, else all. Raises QueryError for one that is not open."""
    if uri is None:
        return list(server.state.folders)
    folder = server.state.folder_at(uri)
    if folder is None:
        raise QueryError(f"{uri} is not an open folder.")
    return [folder]


async def queried_folders(server: Services, params: protocol.FolderParams | protocol.OutlineParams) -> list[Folder]:
    """The folders of a query, after the edits where it waits for them. Raises QueryError for one that is not open."""
    folders = folders_of(server, params.folder)
    if params.wait_for_edits:
        await server.folders.wait_open(folders)
        await server.sync.settled()
    return folders


def filters_of(params: protocol.QueryParams) -> Filters:
    """As the client wrote them; the engine normalizes them."""
    return Filters(
        languages=tuple(params.languages),
        paths=tuple(params.paths),
        kinds=tuple(params.kinds),
        content=tuple(params.content),
        grep=params.grep,
    )


def limit_of(server: Services, params: protocol.QueryParams) -> int:
    return params.limit or server.state.settings.merged.results
