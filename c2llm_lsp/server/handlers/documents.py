"""`textDocument/didOpen`, `didChange`, `didSave` and `didClose`: open buffers are searched in place of their files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from c2llm_lsp.server.document import Document

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

logger = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        document = Document(item.uri, item.language_id, item.version, item.text, server.encoding)
        server.documents[item.uri] = document
        if server.place(document):
            server.edits.changed(document, at_once=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            logger.warning("A document that is not open was changed: %s", params.text_document.uri)
            return
        document.apply(params.text_document.version, params.content_changes)
        server.hints.edited(document.uri)
        if server.place(document):
            server.edits.changed(document)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is not None and server.place(document):
            server.edits.changed(document, at_once=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        document = server.documents.pop(params.text_document.uri, None)
        if document is not None:
            server.edits.closed(document)
            server.hints.closed(document.uri)
