"""`window/workDoneProgress/cancel`: the person has had enough of indexing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server


def register(server: Server) -> None:
    @server.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancelled(params: lsp.WorkDoneProgressCancelParams) -> None:
        folder = server.folder_with_bar(params.token)
        if folder is not None and folder.session is not None:
            folder.session.pause()
