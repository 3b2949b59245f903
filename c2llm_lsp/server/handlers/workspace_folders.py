"""`workspace/didChangeWorkspaceFolders`: folders come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server


def register(server: Server) -> None:
    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        for gone in params.event.removed:
            if (folder := server.folder_at(gone.uri)) is not None:
                server.remove_folder(folder)
        for come in params.event.added:
            if come.uri.startswith("file:"):
                server.add_folder(come.uri, come.name)
