"""`workspace/didChangeWorkspaceFolders`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services


def did_change_workspace_folders(server: Services, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    """Close the folders that are removed, open those that are added."""
    for removed in params.event.removed:
        if (folder := server.state.folder_at(removed.uri)) is not None:
            server.folders.remove(folder)
    for added in params.event.added:
        if added.uri.startswith("file:"):
            server.folders.add(added.uri, added.name)
