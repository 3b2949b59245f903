"""What an indexing run is to do, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder, Vectors
from retrieval.indexing.cancel import Cancel
from retrieval.store import Applied, Store
from retrieval.types import Skip

Progress = Callable[[str, int, int], None]  # stage, done, total
OnVectors = Callable[[int, str, NDArray[np.int64], Vectors], None]  # revision, fingerprint, ids, rows


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


@dataclass(slots=True)
class FileStats:
    """What a stage did so far."""

    changed: int = 0
    removed: int = 0
    added_chunks: int = 0
    removed_chunks: int = 0
    skipped: list[Skip] = field(default_factory=list)
    cancelled: bool = False
