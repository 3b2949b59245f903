"""`window/workDoneProgress/cancel`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services


def work_done_progress_cancel(server: Services, params: lsp.WorkDoneProgressCancelParams) -> None:
    """Cancel the indexing that the progress is about."""
    server.folders.cancel_indexing(params.token)
