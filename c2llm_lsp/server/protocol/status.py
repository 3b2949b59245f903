"""`c2llm/status`, `c2llm/statusChanged` and the command that reindexes: parameters and answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from c2llm_lsp.server.protocol.base import Count, Freshness, ProtocolType, State


class StatusParams(ProtocolType, frozen=True, kw_only=True):
    """`c2llm/status`: the state of the index."""

    folder: str | None = None


class Work(ProtocolType, frozen=True, kw_only=True):
    """Progress of indexing."""

    stage: Annotated[str, Meta(description='"scan", "words" (counts files) or "vectors" (counts chunks)')]
    done: Count
    total: Count
    percentage: Annotated[int, Meta(ge=0, le=100)]


class FolderState(ProtocolType, frozen=True, kw_only=True):
    """One workspace folder in `c2llm/statusChanged` and `c2llm/status`."""

    folder: str
    name: str
    state: State
    work: Work | None = None
    message: Annotated[str, Meta(description="One sentence if something is wrong")] = ""
    pending_edits: Count = 0


class FolderStatus(FolderState, frozen=True, kw_only=True):
    """A folder with the contents of its index; null if the index is not open."""

    freshness: Freshness | None = None
    languages: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    index: str = ""
    index_bytes: Count = 0
    writer_pid: Count = 0
    notes: list[str] = field(default_factory=list)


class ReindexParams(ProtocolType, frozen=True, kw_only=True):
    """The command `c2llm.server.reindex`: scan everything again, and resume indexing that was cancelled or failed."""

    folder: Annotated[str, Meta(description="URI of the one folder; all if absent")] | None = None


class StatusAnswer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/status`."""

    version: str
    protocol: int
    encoder: str
    embedded_edits: Annotated[int, Meta(ge=0, description="Chunks of open buffers embedded since the start")]
    folders: list[FolderStatus]


class StatusChanged(ProtocolType, frozen=True, kw_only=True):
    """`c2llm/statusChanged`: sent, at most four times a second, when a folder's state or progress changes."""

    folders: list[FolderState]
