"""Document sync: from what the editor says of its documents to the buffers of the index."""

from c2llm_lsp.server.sync.document_sync import DocumentListener, DocumentSync

__all__ = ["DocumentListener", "DocumentSync"]
