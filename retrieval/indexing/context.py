"""What an indexing run is to do, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder, Vectors
from retrieval.indexing.cancel import Cancel
from retrieval.store import Applied, Store
from retrieval.types import Skip

Progress = Callable[[str, int, int], None]  # stage, done, total
OnVectors = Callable[[int, str, NDArray[np.int64], Vectors], None]  # revision, fingerprint, ids, rows


class VectorSource(Protocol):
    """Vectors that somebody else has made. Asked by one thread at a time."""

    def fetch(
        self, fingerprint: str, dimension: int, passages: Sequence[bytes], stop: Callable[[], bool]
    ) -> tuple[list[bytes], Vectors]:
        """Those of the passages that it has, each once, and their vectors: whole, and of length 1. Looks at `stop` while it waits.

        Raises C2llmError; what is missing is embedded then.
        """
        ...

    def finish(self) -> None:
        """The run is over."""
        ...


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """Files to read (new, changed, or to be chunked anew), files to forget, what the scan saw and left out."""

    paths: tuple[str, ...]
    removed: tuple[str, ...]
    seen: int
    again: bool
    skipped: tuple[Skip, ...] = ()
    ignored: int = 0
    reincluded: frozenset[str] = frozenset()  # files that the user asked for although a default rule excludes them
    ignored_folders: tuple[str, ...] = ()
    neighbors: Callable[[str], Collection[str]] | None = None  # endings of the files beside one; None: not looked at


@dataclass(frozen=True, slots=True)
class IndexingContext:
    """What a run works with. The callbacks let a live index of this process follow the commits."""

    store: Store
    root: Path
    max_bytes: int  # of the largest file
    encoder: Callable[[], Encoder]  # asked for when the words are stored: loading a model takes its time
    buffer_vectors: Callable[[], Mapping[bytes, NDArray[np.float32]]]  # vectors of unsaved text, by passage
    on_applied: Callable[[Applied], None]
    on_vectors: OnVectors
    progress: Progress
    cancel: Cancel
    vector_source: VectorSource | None = None  # asked for vectors before anything is embedded


@dataclass(slots=True)
class FileStats:
    """What a stage did so far."""

    changed: int = 0
    removed: int = 0
    added_chunks: int = 0
    removed_chunks: int = 0
    skipped: list[Skip] = field(default_factory=list)
    cancelled: bool = False
