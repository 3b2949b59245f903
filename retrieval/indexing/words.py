"""The first stage: files to rows. Everything is findable by words before the first vector is made.

Files are read and cut in the caller's thread and stored in batches, one transaction each: a process that is killed
loses the batch it was at and nothing else, and the next run goes on from there, because a file's stamp is stored with
its chunks. Cutting does not run in more threads: the interpreter's lock would serialise them, while the encoder of
another workspace or a query wants to get through.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from retrieval.chunking import chunk_file, language_of, passage
from retrieval.files import FileStamp, SourceFile, read_file
from retrieval.store import Applied, FileRow, FileUpdate, Piece, Store, passage_hash
from retrieval.types import Skip

# A batch ends at whichever comes first. A kill costs at most this much; smaller batches cost more in writing the log.
BATCH_CHUNKS = 2_000
BATCH_SECONDS = 0.5

# Reasons that may go away without the file's time or size changing: such a file is tried again at every scan.
_PASSING = ("unreadable", "changing")
_GONE = ("missing", "outside the workspace", "link")
_UNSETTLED = -1  # a time that no file has

Progress = Callable[[str, int, int], None]


class Cancel(Protocol):
    """As threading.Event."""

    def is_set(self) -> bool: ...


@dataclass(slots=True)
class Done:
    """What a stage did so far."""

    changed: int = 0
    removed: int = 0
    added_chunks: int = 0
    removed_chunks: int = 0
    skipped: list[Skip] = field(default_factory=list)
    cancelled: bool = False


def store_words(
    store: Store,
    root: Path,
    paths: Sequence[str],
    removed: Iterable[str],
    *,
    known: dict[str, FileRow],
    limit: int,
    again: bool,
    on_applied: Callable[[Applied], None],
    progress: Progress,
    cancel: Cancel,
) -> Done:
    """Bring the rows of these files up to date. `again` cuts files anew whose bytes are the same (other chunking
    rules).
    """
    done = Done()
    batch = _Batch(store, done, on_applied, list(removed))
    for number, path in enumerate(paths):
        if cancel.is_set():
            done.cancelled = True
            break
        batch.take(path, _update(root, path, known.get(path), limit, again, done.skipped))
        if batch.full:
            batch.flush()
            progress("words", number + 1, len(paths))
    batch.flush()
    if not done.cancelled:
        progress("words", len(paths), len(paths))
    return done


class _Batch:
    """Updates that wait for their transaction."""

    def __init__(self, store: Store, done: Done, on_applied: Callable[[Applied], None], removed: list[str]) -> None:
        self._store, self._done, self._on_applied = store, done, on_applied
        self._removed = removed
        self._updates: list[FileUpdate] = []
        self._chunks = 0
        self._since = time.monotonic()

    @property
    def full(self) -> bool:
        return self._chunks >= BATCH_CHUNKS or time.monotonic() - self._since >= BATCH_SECONDS

    def take(self, path: str, update: FileUpdate | None) -> None:
        """Put a file into the batch; None: it is gone."""
        if update is None:
            self._removed.append(path)
            return
        self._updates.append(update)
        self._chunks += len(update.pieces or ())

    def flush(self) -> None:
        if self._updates or self._removed:
            applied = self._store.apply(self._updates, self._removed)
            self._done.changed += sum(update.pieces is not None for update in self._updates)
            self._done.removed += len(self._removed)
            self._done.added_chunks += len(applied.added)
            self._done.removed_chunks += len(applied.removed)
            self._on_applied(applied)
        self._updates, self._removed, self._chunks, self._since = [], [], 0, time.monotonic()


def _update(
    root: Path, path: str, row: FileRow | None, limit: int, again: bool, skipped: list[Skip]
) -> FileUpdate | None:
    """What is to be stored of a file; None where it is gone."""
    source = read_file(root, path, limit=limit)
    if isinstance(source, Skip):
        if source.reason in _GONE:
            return None
        skipped.append(source)
        return _skipped(root, source, row)
    stamp = source.stamp
    first_line = source.text[:300].partition("\n")[0]
    file = FileRow(path, stamp.size, stamp.mtime_ns, stamp.inode, source.digest, language_of(path, first_line))
    if not again and row is not None and row.skip is None and row.digest == source.digest:
        return FileUpdate(file, None)
    return FileUpdate(file, pieces_of(source))


def pieces_of(source: SourceFile) -> tuple[Piece, ...]:
    return tuple(Piece(chunk, passage_hash(passage(chunk))) for chunk in chunk_file(source.path, source.text))


def _skipped(root: Path, skip: Skip, row: FileRow | None) -> FileUpdate:
    """A file without chunks, and why; its stamp keeps it from being read again where the reason lies in its bytes."""
    stamp = FileStamp(0, _UNSETTLED, 0)
    if not skip.reason.startswith(_PASSING):
        with suppress(OSError):
            stamp = FileStamp.of((root / skip.path).lstat(), time.time_ns())
    file = FileRow(skip.path, stamp.size, stamp.mtime_ns, stamp.inode, skip=skip.reason)
    same = row is not None and row.skip == skip.reason
    return FileUpdate(file, None if same else ())
