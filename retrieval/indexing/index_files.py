"""The first stage: files to rows. Full-text search works before the first vector is made.

Files are read in the caller's thread, cut in worker processes (see chunk_jobs.py), and stored in batches, one
transaction each: a process that is killed loses the batch it was at and nothing else, and the next run goes on from
there, because a file's stamp is stored with its chunks. A file whose content was seen before under the same path is not
cut again: its borders are remembered (see store/boundaries.py), so that coming back to a branch costs no parse.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from retrieval.chunking import boundaries, language_of, passage
from retrieval.chunking.neighbors import is_told_by_neighbors
from retrieval.files import FAILED, FileStamp, SourceFile, failure, read_file
from retrieval.indexing.chunk_jobs import ChunkedFile, ChunkJob, in_order
from retrieval.indexing.context import FileStats, IndexingContext, IndexPlan
from retrieval.indexing.shared_worker import SharedChunker
from retrieval.indexing.worker_pool import CRASHED, LOST, WorkerPool
from retrieval.store import Applied, FileRow, FileUpdate, NewChunk, Store, passage_hash
from retrieval.store.rows import PackedStructure
from retrieval.types import Skip

# A batch ends at whichever comes first. A kill costs at most this much; smaller batches cost more in writing the log.
BATCH_CHUNKS = 2_000
BATCH_SECONDS = 0.5

# From this many files on several worker processes are worth their start.
POOL_FROM = 100

# Reasons that may go away without the file's time or size changing, as the size that is allowed may grow: such a file is
# tried again at every scan.
_PASSING = ("unreadable", "changing", "too large", FAILED, LOST, f"{CRASHED}: SIGKILL")
# What code raises for one file that nobody foresaw, and the database for a value that it cannot hold.
_ONE_FILE = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
_GONE = ("missing", "outside the workspace", "link")
_UNSETTLED = -1  # a time that no file has


def index_files(
    context: IndexingContext, plan: IndexPlan, rows: dict[str, FileRow], on_applied: Callable[[Applied], None]
) -> FileStats:
    """Bring the rows of the plan's files up to date. `rows` are those that are stored of them."""
    done = FileStats()
    batch = _Batch(context.store, done, on_applied, list(plan.removed))
    work = _FileStage(context.store, context.root, context.max_bytes, rows, plan)
    with WorkerPool() if len(plan.paths) >= POOL_FROM else nullcontext(SharedChunker()) as chunker:
        stored = 0
        for stored, file in enumerate(in_order(work.read(plan.paths), chunker, context.cancel), start=1):
            batch.take(file.path, work.finished(file, done.skipped))
            if batch.full:
                batch.flush()
                context.progress("words", stored, len(plan.paths))
    done.cancelled = context.cancel.is_set()
    batch.flush()
    context.progress("words", stored if done.cancelled else len(plan.paths), len(plan.paths))
    return done


class _Batch:
    """Updates that wait for their transaction."""

    def __init__(
        self, store: Store, done: FileStats, on_applied: Callable[[Applied], None], removed: list[str]
    ) -> None:
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
        self._chunks += len(update.chunks or ())

    def flush(self) -> None:
        if self._updates or self._removed:
            try:
                self._apply(self._updates, self._removed)
            except _ONE_FILE:
                self._apply_singly()
        self._updates, self._removed, self._chunks, self._since = [], [], 0, time.monotonic()

    def _apply_singly(self) -> None:
        """The batch once more, a transaction a file: what cannot be stored of one does not cost the others."""
        if self._removed:
            self._apply([], self._removed)
        for update in self._updates:
            try:
                self._apply([update], [])
            except _ONE_FILE as error:
                skip = Skip(update.file.path, failure(error))
                self._done.skipped.append(skip)
                self._apply([FileUpdate(_unread(skip), ())], [])

    def _apply(self, updates: list[FileUpdate], removed: list[str]) -> None:
        applied = self._store.apply(updates, removed)
        self._done.changed += sum(update.chunks is not None for update in updates)
        self._done.removed += len(removed)
        self._done.added_chunks += len(applied.added)
        self._done.removed_chunks += len(applied.removed)
        self._on_applied(applied)


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file that was read. What is to be stored of it is known, or waits for the job. Without either it is gone."""

    path: str
    source: SourceFile | Skip | None = None
    update: FileUpdate | None = None
    job: ChunkJob | None = None


@dataclass(frozen=True, slots=True)
class _FileStage:
    """From a path to what is to be stored of it."""

    store: Store
    root: Path
    max_bytes: int
    rows: dict[str, FileRow]  # that are stored
    plan: IndexPlan

    def read(self, paths: Sequence[str]) -> Iterator[_ReadFile]:
        return map(self._read, paths)

    def finished(self, file: _ReadFile, skipped: list[Skip]) -> FileUpdate | None:
        """What is to be stored of a file; None where it is gone. Whatever a file does, it costs that file alone."""
        try:
            return self._finished(file, skipped)
        except _ONE_FILE as error:
            skip = Skip(file.path, failure(error))
            skipped.append(skip)
            return _skipped(self.root, skip, self.rows.get(file.path))

    def _finished(self, file: _ReadFile, skipped: list[Skip]) -> FileUpdate | None:
        job = file.job
        if isinstance(file.source, Skip):
            skipped.append(file.source)
        elif file.source is not None and file.source.note:
            skipped.append(Skip(file.path, file.source.note))
        if job is None or not isinstance(file.source, SourceFile):
            return file.update
        if job.chunked is None:
            skip = Skip(file.path, job.failure)
            skipped.append(skip)
            return _skipped(self.root, skip, self.rows.get(file.path))
        if job.note:
            skipped.append(Skip(file.path, job.note))
        keep = job.chunked.boundaries if boundaries.has_no_text(job.chunked.boundaries) else None
        chunks = new_chunks(file.source, job.chunked)
        return FileUpdate(_file(file.source, job.language, job.note), chunks, keep, job.chunked.structure)

    def _read(self, path: str) -> _ReadFile:
        try:
            return self._look_at(path)
        except _ONE_FILE as error:
            skip = Skip(path, failure(error))
            return _ReadFile(path, skip, _skipped(self.root, skip, self.rows.get(path)))

    def _look_at(self, path: str) -> _ReadFile:
        row = self.rows.get(path)
        source = read_file(self.root, path, limit=self.max_bytes, reincluded=path in self.plan.reincluded)
        if isinstance(source, Skip):
            if source.reason in _GONE:
                return _ReadFile(path)
            return _ReadFile(path, source, _skipped(self.root, source, row))
        language = self._language(source)
        is_fixed = not is_told_by_neighbors(path)  # else a file beside it can have changed its language
        is_same = row is not None and row.skip is None and row.digest == source.digest
        if row is not None and is_same and not self.plan.again and (is_fixed or row.language == language):
            return _ReadFile(path, source, FileUpdate(_file(source, language, row.note), None))
        if (known := self._cached(source, "" if is_fixed else language)) is not None:
            note = boundaries.parse_note(known.boundaries)
            update = FileUpdate(_file(source, language, note), new_chunks(source, known), None, known.structure)
            return _ReadFile(path, source, update)
        # The words of a new file are all needed; of a changed one most chunks are there already.
        return _ReadFile(path, source, job=ChunkJob(path, source.text, row is None, "", language))

    def _cached(self, source: SourceFile, language: str) -> ChunkedFile | None:
        """The boundaries and structure of a content that was seen before."""
        from retrieval.chunking.structure import is_current, name_rows, unpack  # and all that parses

        packed, structure = self.store.files.boundaries(source.path, source.digest) or (b"", b"")
        if not (packed and structure and boundaries.is_current(packed, language) and is_current(structure)):
            return None
        names = tuple(name_rows(unpack(structure)))
        return ChunkedFile(packed, None, structure=PackedStructure(structure, names))

    def _language(self, source: SourceFile) -> str:
        neighbors = self.plan.neighbors
        if neighbors is None:
            return language_of(source.path, source.text)
        return language_of(source.path, source.text, lambda: neighbors(source.path))


def _file(source: SourceFile, language: str, note: str = "") -> FileRow:
    stamp = source.stamp
    return FileRow(
        source.path,
        stamp.size,
        stamp.mtime_ns,
        stamp.inode,
        source.digest,
        language,
        note=note or source.note,
        ctime_ns=stamp.ctime_ns,
    )


def new_chunks(source: SourceFile, chunked: ChunkedFile) -> tuple[NewChunk, ...]:
    chunks = boundaries.unpack(source.path, source.text, chunked.boundaries)
    words = chunked.words or (None,) * len(chunks)
    return tuple(NewChunk(chunk, passage_hash(passage(chunk)), own) for chunk, own in zip(chunks, words, strict=True))


def _unread(skip: Skip) -> FileRow:
    """The row of a file that is tried again at every scan."""
    return FileRow(skip.path, 0, _UNSETTLED, 0, skip=skip.reason)


def _skipped(root: Path, skip: Skip, row: FileRow | None) -> FileUpdate:
    """A file without chunks, and why; its stamp keeps it from being read again where the reason lies in its bytes."""
    stamp = FileStamp(0, _UNSETTLED, 0, 0)
    if not skip.reason.startswith(_PASSING):
        with suppress(OSError):
            stamp = FileStamp.of((root / skip.path).lstat(), time.time_ns())
    file = FileRow(skip.path, stamp.size, stamp.mtime_ns, stamp.inode, skip=skip.reason, ctime_ns=stamp.ctime_ns)
    same = row is not None and row.skip == skip.reason
    return FileUpdate(file, None if same else ())
