"""What a session tells: what it did, is doing, or could not do; and the state that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from c2llm_lsp.session.job_queue import IndexJob
from retrieval.types import IndexReport

# In a pause only changed files are indexed; "following": another process is writing, and this one waits for its turn.
State = Literal["idle", "scanning", "indexing", "embedding", "maintaining", "paused", "following", "failed"]

STATE_OF_STAGE: dict[str, State] = {"scan": "scanning", "words": "indexing", "vectors": "embedding"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. Stages: "scan" (nothing is counted), "words" (files), "vectors" (chunks)."""

    job: IndexJob
    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """A job ended; its report says whether it was cancelled."""

    job: IndexJob
    report: IndexReport


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process is writing: nothing was done, and the session tries again."""

    job: IndexJob
    report: IndexReport


@dataclass(frozen=True, slots=True)
class Failed:
    """A job failed, and the session tries again."""

    job: IndexJob
    error: Exception


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What a session is doing, as of now. How many files and chunks are left to index, the workspace's freshness says."""

    state: State
    stage: str = ""  # of the last progress of the job that is going on
    done: int = 0
    total: int = 0
    pending_changes: int = 0  # files known to have changed that no job of this process has begun with
    scan_pending: bool = False  # whether others may have changed too: a full scan waits


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The session was paused, or goes on, with no job to tell it."""

    status: SessionStatus


Event = Progress | Done | Busy | Failed | StateChanged
