"""`textDocument/didOpen`."""

from __future__ import annotations

from lsprotocol import types as lsp

from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.document import Document


def did_open(server: Services, params: lsp.DidOpenTextDocumentParams) -> None:
    """Search the buffer in place of its file from now on."""
    item = params.text_document
    server.sync.opened(Document(item.uri, item.language_id, item.version, item.text, server.state.encoding))
