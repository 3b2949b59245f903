"""The first stage: files to rows. Everything is findable by words before the first vector is made.

Files are read in the caller's thread, cut in worker processes (see chunk_jobs.py), and stored in batches, one
transaction each: a process that is killed loses the batch it was at and nothing else, and the next run goes on from
there, because a file's stamp is stored with its chunks. A file whose content was seen before under the same path is not
cut again: its borders are remembered (see store/boundaries.py), so that coming back to a branch costs no parse.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.chunking import boundaries, language_of, passage
from retrieval.files import FileStamp, SourceFile, read_file
from retrieval.indexing.chunk_jobs import Cancel, CutFile, Job, in_order
from retrieval.indexing.shared import Few
from retrieval.indexing.worker_pool import CRASHED, LOST, Pool
from retrieval.store import Applied, FileRow, FileUpdate, Piece, Store, passage_hash
from retrieval.types import Skip

# A batch ends at whichever comes first. A kill costs at most this much; smaller batches cost more in writing the log.
BATCH_CHUNKS = 2_000
BATCH_SECONDS = 0.5

# From this many files on several worker processes are worth their start of a third of a second.
POOL_FROM = 100

# Reasons that may go away without the file's time or size changing, as the size that is allowed may grow: such a file is
# tried again at every scan.
_PASSING = ("unreadable", "changing", "too large", LOST, f"{CRASHED}: SIGKILL")
_GONE = ("missing", "outside the workspace", "link")
_UNSETTLED = -1  # a time that no file has

Progress = Callable[[str, int, int], None]


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
    work = _Work(store, root, limit, again, known)
    with Pool() if len(paths) >= POOL_FROM else nullcontext(Few()) as cutter:
        stored = 0
        for stored, looked in enumerate(in_order(work.look_at(paths), cutter, cancel), start=1):
            batch.take(looked.path, work.finished(looked, done.skipped))
            if batch.full:
                batch.flush()
                progress("words", stored, len(paths))
    done.cancelled = cancel.is_set()
    batch.flush()
    progress("words", stored if done.cancelled else len(paths), len(paths))
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


@dataclass(frozen=True, slots=True)
class _Looked:
    """A file that was read. What is to be stored of it is known, or waits for the job. Without either it is gone."""

    path: str
    source: SourceFile | Skip | None = None
    update: FileUpdate | None = None
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """From a path to what is to be stored of it."""

    store: Store
    root: Path
    limit: int
    again: bool
    known: dict[str, FileRow]

    def look_at(self, paths: Sequence[str]) -> Iterator[_Looked]:
        return map(self._look, paths)

    def finished(self, looked: _Looked, skipped: list[Skip]) -> FileUpdate | None:
        """What is to be stored of a file; None where it is gone."""
        job = looked.job
        if isinstance(looked.source, Skip):
            skipped.append(looked.source)
        if job is None or not isinstance(looked.source, SourceFile):
            return looked.update
        if job.cut is None:
            skip = Skip(looked.path, job.failure)
            skipped.append(skip)
            return _skipped(self.root, skip, self.known.get(looked.path))
        if job.note:
            skipped.append(Skip(looked.path, job.note))
        keep = job.cut.borders if boundaries.without_text(job.cut.borders) else None
        return FileUpdate(_file(looked.source, job.note), pieces_of(looked.source, job.cut), keep)

    def _look(self, path: str) -> _Looked:
        row = self.known.get(path)
        source = read_file(self.root, path, limit=self.limit)
        if isinstance(source, Skip):
            if source.reason in _GONE:
                return _Looked(path)
            return _Looked(path, source, _skipped(self.root, source, row))
        if not self.again and row is not None and row.skip is None and row.digest == source.digest:
            return _Looked(path, source, FileUpdate(_file(source, row.note), None))
        remembered = self.store.files.boundaries(path, source.digest)
        if remembered is not None and boundaries.is_current(remembered):
            file = _file(source, boundaries.note_of(remembered))
            return _Looked(path, source, FileUpdate(file, pieces_of(source, CutFile(remembered, None))))
        # The words of a new file are all needed; of a changed one most chunks are there already.
        return _Looked(path, source, job=Job(path, source.text, wants_words=row is None))


def _file(source: SourceFile, note: str = "") -> FileRow:
    stamp, first_line = source.stamp, source.text[:300].partition("\n")[0]
    return FileRow(
        source.path,
        stamp.size,
        stamp.mtime_ns,
        stamp.inode,
        source.digest,
        language_of(source.path, first_line),
        note=note,
    )


def pieces_of(source: SourceFile, cut: CutFile) -> tuple[Piece, ...]:
    chunks = boundaries.unpack(source.path, source.text, cut.borders)
    words = cut.words or (None,) * len(chunks)
    return tuple(Piece(chunk, passage_hash(passage(chunk)), own) for chunk, own in zip(chunks, words, strict=True))


def _skipped(root: Path, skip: Skip, row: FileRow | None) -> FileUpdate:
    """A file without chunks, and why; its stamp keeps it from being read again where the reason lies in its bytes."""
    stamp = FileStamp(0, _UNSETTLED, 0)
    if not skip.reason.startswith(_PASSING):
        with suppress(OSError):
            stamp = FileStamp.of((root / skip.path).lstat(), time.time_ns())
    file = FileRow(skip.path, stamp.size, stamp.mtime_ns, stamp.inode, skip=skip.reason)
    same = row is not None and row.skip == skip.reason
    return FileUpdate(file, None if same else ())
