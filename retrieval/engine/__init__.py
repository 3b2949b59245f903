"""One folder, indexed and searched: the engine as everything above it sees it."""

from retrieval.engine.index_state import Status
from retrieval.engine.workspace import Workspace

__all__ = ["Status", "Workspace"]
