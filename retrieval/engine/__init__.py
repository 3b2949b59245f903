"""One folder, indexed and searched: the engine as everything above it sees it."""

from retrieval.engine.index_state import Status
from retrieval.engine.workspace import FileLimits, Workspace

__all__ = ["FileLimits", "Status", "Workspace"]
