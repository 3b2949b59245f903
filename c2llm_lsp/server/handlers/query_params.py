"""What the parameters of all queries have in common: folders, filters, limit."""

from __future__ import annotations

from collections.abc import Iterable

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError
from retrieval.types import Filters, SearchScope


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


def scopes_of(server: Services, params: protocol.FolderParams, folders: Iterable[Folder]) -> dict[str, SearchScope]:
    """The scope of a query in each folder, by its URI. On the loop's thread, for it looks at what is open."""
    scope = params.scope
    if scope is None or not scope.within:
        return {}
    opened = server.state.documents if scope.open is None else scope.open
    return {one.uri: SearchScope(tuple(scope.within), _folder_of(one, scope), _files(one, opened)) for one in folders}


def _folder_of(folder: Folder, scope: protocol.Scope) -> str | None:
    """Where the scope's document is in a folder, None where it is elsewhere."""
    path = folder.files.relative(scope.document) if scope.document else None
    return None if path is None else path.rpartition("/")[0]


def _files(folder: Folder, uris: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in map(folder.files.relative, uris) if path is not None)


def filters_of(params: protocol.QueryParams, scope: SearchScope | None = None) -> Filters:
    """As the client wrote them; the engine normalizes them."""
    return Filters(
        languages=tuple(params.languages),
        paths=tuple(params.paths),
        kinds=tuple(params.kinds),
        content=tuple(params.content),
        grep=params.grep,
        scope=scope or SearchScope(),
    )


def limit_of(server: Services, params: protocol.QueryParams) -> int:
    return params.limit or server.state.settings.merged.results
