"""`textDocument/didSave`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services


def did_save(server: Services, params: lsp.DidSaveTextDocumentParams) -> None:
    """Index the buffer now; its file has the same text."""
    server.sync.saved(params.text_document.uri)
