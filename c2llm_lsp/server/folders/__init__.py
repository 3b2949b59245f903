"""Workspace folders: each an index, the session that keeps it current, and its files' URIs."""

from c2llm_lsp.server.folders.folder import Folder, FolderListener, FolderServices
from c2llm_lsp.server.folders.indexing_state import IndexingState, progress_of

__all__ = ["Folder", "FolderListener", "FolderServices", "IndexingState", "progress_of"]
