"""`c2llm/status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2llm_lsp import __version__
from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.fast_initialize import VERSION
from c2llm_lsp.server.handlers.common import folders_of, freshness, own_request
from retrieval.engine import Status, Workspace
from retrieval.types import Freshness

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder


def register(server: Server) -> None:
    own_request(server, protocol_types.STATUS, protocol_types.StatusParams, status)


async def status(server: Server, asked: protocol_types.StatusParams) -> protocol_types.StatusAnswer:
    folders = folders_of(server, asked.folder)
    known = {id(folder): (found, now) for folder, found, now in await server.ask(folders, _look)}
    return protocol_types.StatusAnswer(
        version=__version__,
        protocol=VERSION,
        encoder=next((found.encoder for found, _ in known.values() if found.encoder), server.settings.encoder),
        embedded_edits=sum(folder.embedded for folder in server.folders),
        folders=[_with_index(server, folder, known.get(id(folder))) for folder in folders],
    )


def _look(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, Status, Freshness]:
    return folder, workspace.status(), workspace.freshness()


def _with_index(server: Server, folder: Folder, known: tuple[Status, Freshness] | None) -> protocol_types.FolderStatus:
    state = server.state_of(folder)
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    if known is None:
        return protocol_types.FolderStatus(**fields)
    found, now = known
    return protocol_types.FolderStatus(
        **fields,
        freshness=freshness(server, [(folder, now)]),
        languages=found.languages,
        skipped=found.skipped,
        index=str(found.folder),
        index_bytes=found.index_bytes,
        writer_pid=found.writer_pid,
        notes=list(found.notes),
    )
