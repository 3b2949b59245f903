"""`c2llm/status`."""

from __future__ import annotations

from c2llm_lsp import __version__
from c2llm_lsp.server import protocol
from c2llm_lsp.server.fast_initialize import VERSION
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.query_params import folders_of
from c2llm_lsp.server.handlers.results import merged_freshness
from c2llm_lsp.server.services import Services
from retrieval.engine import Status, Workspace
from retrieval.types import Freshness


async def status(server: Services, params: protocol.StatusParams) -> protocol.StatusAnswer:
    """The state of the folders, and what is in their indexes."""
    folders = folders_of(server, params.folder)
    before = {id(folder): server.status.state_of(folder) for folder in folders}
    answers = await server.queries.query(folders, _query)
    by_folder = {id(folder): (status, freshness) for folder, status, freshness in answers}
    encoder = next((status.encoder for _, status, _ in answers if status.encoder), "")
    return protocol.StatusAnswer(
        version=__version__,
        protocol=VERSION,
        encoder=encoder or server.state.settings.merged.encoder,
        embedded_edits=sum(folder.embedded_chunks for folder in server.state.folders),
        folders=[
            _folder_status(
                server,
                folder,
                _state_of_counts(before[id(folder)], server.status.state_of(folder)),
                by_folder.get(id(folder)),
            )
            for folder in folders
        ],
    )


def _query(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, Status, Freshness]:
    return folder, workspace.status(), workspace.freshness()


def _state_of_counts(before: protocol.FolderState, after: protocol.FolderState) -> protocol.FolderState:
    """The state that goes with what was counted between the two: "ready" only if nothing was at work meanwhile."""
    return before if after.state == "ready" else after


def _folder_status(
    server: Services, folder: Folder, state: protocol.FolderState, answer: tuple[Status, Freshness] | None
) -> protocol.FolderStatus:
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    if answer is None:
        return protocol.FolderStatus(**fields)
    status, freshness = answer
    return protocol.FolderStatus(
        **fields,
        freshness=merged_freshness(server, [(folder, freshness)]),
        languages=status.languages,
        skipped=status.skipped,
        index=str(status.folder),
        index_bytes=status.index_bytes,
        writer_pid=status.writer_pid,
        notes=list(status.notes),
    )
