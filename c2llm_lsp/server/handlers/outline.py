"""`c2llm/outline`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.locations import location_of
from c2llm_lsp.server.handlers.query_params import queried_folders
from c2llm_lsp.server.handlers.results import merged_freshness, missing_notes
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.structure.outline import Outline
    from retrieval.types import Freshness

    _Outlined = tuple[Folder, Outline, tuple[str, ...], Freshness]

ONE_FOLDER = "c2llm/outline needs the `folder` of a `path` where several are open."


async def outline(server: Services, params: protocol.OutlineParams) -> protocol.OutlineAnswer:
    """What a document, a file or folder, or each workspace folder defines, each within the budget."""
    folders = await queried_folders(server, params)
    path = params.path
    if params.text_document is not None:
        home, path = location_of(server, params.text_document.uri)
        folders = [home]
    elif path and len(folders) > 1:
        raise QueryError(ONE_FOLDER)

    def query(folder: Folder, workspace: Workspace, _: object) -> _Outlined:
        from retrieval.rag.token_estimate import estimate_tokens

        found, notes = workspace.symbols.outline(path, params.budget, estimate_tokens)
        return folder, found, notes, workspace.symbols.freshness()

    answers = await server.queries.query(folders, query)
    notes = [note for _, _, notes, _ in answers for note in notes]
    return protocol.OutlineAnswer(
        files=[file for folder, found, _, _ in answers for file in _files(folder, found)],
        files_left_out=sum(found.files_left_out for _, found, _, _ in answers),
        tokens=sum(found.tokens for _, found, _, _ in answers),
        freshness=merged_freshness(server, [(folder, freshness) for folder, _, _, freshness in answers]),
        notes=list(dict.fromkeys([*notes, *missing_notes([one[0] for one in answers], folders)])),
    )


def _files(folder: Folder, found: Outline) -> list[protocol.OutlinedFile]:
    return [
        protocol.OutlinedFile(
            uri=folder.files.uri_of(file.path),
            folder=folder.uri,
            path=file.path,
            entries=[
                protocol.OutlineEntry(**{**asdict(entry), "line": entry.line - 1, "last_line": entry.last_line - 1})
                for entry in file.entries
            ],
            left_out=file.left_out,
        )
        for file in found.files
    ]
