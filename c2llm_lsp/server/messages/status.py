"""`c2llm/status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2llm_lsp import __version__
from c2llm_lsp.server import requests
from c2llm_lsp.server.greeting import VERSION
from c2llm_lsp.server.messages.common import folders_of, freshness, own_request
from retrieval.types import Freshness
from retrieval.workspace import Status, Workspace

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder


def register(server: Server) -> None:
    own_request(server, requests.STATUS, requests.StatusParams, status)


async def status(server: Server, asked: requests.StatusParams) -> requests.StatusAnswer:
    folders = folders_of(server, asked.folder)
    known = {id(folder): (found, now) for folder, found, now in await server.ask(folders, _look)}
    return requests.StatusAnswer(
        version=__version__,
        protocol=VERSION,
        encoder=next((found.encoder for found, _ in known.values() if found.encoder), server.settings.encoder),
        embedded_edits=sum(folder.embedded for folder in server.folders),
        folders=[_with_index(server, folder, known.get(id(folder))) for folder in folders],
    )


def _look(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, Status, Freshness]:
    return folder, workspace.status(), workspace.freshness()


def _with_index(server: Server, folder: Folder, known: tuple[Status, Freshness] | None) -> requests.FolderStatus:
    state = server.state_of(folder)
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    if known is None:
        return requests.FolderStatus(**fields)
    found, now = known
    return requests.FolderStatus(
        **fields,
        freshness=freshness(server, [(folder, now)]),
        languages=found.languages,
        skipped=found.skipped,
        index=str(found.folder),
        index_bytes=found.index_bytes,
        writer_pid=found.writer_pid,
        notes=list(found.notes),
    )
