"""One folder, indexed and searched: the engine as everything above it sees it."""

from retrieval.workspace.facade import Workspace
from retrieval.workspace.standing import Status

__all__ = ["Status", "Workspace"]
