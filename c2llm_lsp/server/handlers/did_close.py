"""`textDocument/didClose`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services


def did_close(server: Services, params: lsp.DidCloseTextDocumentParams) -> None:
    """Search the file again; what was not saved is forgotten."""
    server.sync.closed(params.text_document.uri)
