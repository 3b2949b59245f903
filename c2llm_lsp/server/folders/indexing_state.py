"""The state of a folder's index, and the progress of the indexing that is going on."""

from __future__ import annotations

from dataclasses import dataclass

from c2llm_lsp.server.protocol import State, Work
from c2llm_lsp.session.events import SessionStatus

PAUSED = "Indexing was cancelled."
# The share of each stage in the whole, in per cent. Full text and vectors each take about half of the time.
SHARES = {"scan": (0, 2), "words": (2, 50), "vectors": (50, 100)}


@dataclass(frozen=True, slots=True)
class IndexingState:
    """The phase of a folder; while it indexes also how far it is, and a message where something is wrong."""

    phase: State = "opening"
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def reason(self) -> str:
        """Why a folder is as it is, for a sentence to the user."""
        return self.message or self.phase


def progress_of(state: IndexingState) -> Work | None:
    """The progress of a folder that is being indexed; None for any other."""
    if state.phase != "indexing":
        return None
    low, high = SHARES.get(state.stage, (0, 0))
    fraction = min(state.done / state.total, 1.0) if state.total else 0.0
    percentage = round(low + fraction * (high - low))
    return Work(stage=state.stage, done=state.done, total=state.total, percentage=percentage)


def state_of_session(status: SessionStatus, message: str) -> IndexingState:
    """The state of a session in the words of the protocol."""
    if status.state == "paused":
        return IndexingState("paused", message=PAUSED)
    if status.state in ("scanning", "indexing", "embedding"):
        return IndexingState("indexing", status.stage, status.done, status.total)
    phase: State = status.state if status.state in ("failed", "following") else "ready"
    return IndexingState(phase, message=message)
