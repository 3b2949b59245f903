"""`textDocument/didChange`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services


def did_change(server: Services, params: lsp.DidChangeTextDocumentParams) -> None:
    """Apply the changes; the buffer is indexed after the debounce."""
    document = params.text_document
    server.sync.changed(document.uri, document.version, params.content_changes)
