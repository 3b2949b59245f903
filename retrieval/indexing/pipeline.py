"""One indexing run: look, plan, store words, embed. The only place that writes an index.

What was planned and not done needs no record of its own: a file whose stamp is not stored is found by the next scan, a
chunk without a vector by the next query for such. So a run can be cancelled or killed anywhere and the next one goes
on.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from retrieval.chunking import CHUNKING_VERSION, STRUCTURE_VERSION
from retrieval.errors import C2llmError, EncoderError, EncoderUnreachableError, ModelError
from retrieval.files import MASKING_VERSION, FileStamp, Scan, Scanner
from retrieval.indexing.context import FileStats, IndexingContext, IndexPlan
from retrieval.indexing.embedding import EmbeddingContext, EmbeddingStats, embed_pending
from retrieval.indexing.fetching import FetchStage
from retrieval.indexing.folder_neighbors import FolderNeighbors
from retrieval.indexing.prefetch import BackgroundEmbedder
from retrieval.store import Applied, FileRow, Store
from retrieval.types import IndexReport

CHUNKING_KEY = "chunking_version"
# How a file's text becomes chunks: where this is another one, all files are read again, and what stays the same is kept.
TEXT_VERSION = f"{CHUNKING_VERSION}.{MASKING_VERSION}.{STRUCTURE_VERSION}"
SKIPPED_KEY = "skipped"  # what the scan left out, by reason
LEFT_OUT_KEY = "left_out"  # some of it by name: path -> reason, folders too
_MAX_LEFT_OUT = 300
_NEVER_NAMED = ("secret", "link", "binary", "not a regular file", "tool directory", "unreadable", "name is not UTF-8")
REINCLUDED_KEY = "reincluded"  # files that negations in `.c2llmignore` named at the last scan
INDEXED_KEY = "indexed_at"

# From this many files on embedding begins while files are still being read; fewer are read in the time of a batch.
AHEAD_FROM = 100


def stored_rows(store: Store, paths: Sequence[str] | None = None) -> dict[str, FileRow]:
    """The rows of these files, or of all."""
    if paths is None:
        return store.files.all()
    rows = (store.files.get(path) for path in paths)
    return {row.path: row for row in rows if row is not None}


def plan(scanner: Scanner, store: Store, *, again: bool) -> IndexPlan:
    """Compare the tree with the rows; reads no file."""
    stamps = {path: FileStamp(*stamp) for path, *stamp in store.files.stamps()}
    scan: Scan = scanner.scan(stamps)
    reincluded = frozenset(scan.reincluded)
    neighbors = FolderNeighbors(scanner.root, scanner.path_filter().ignores)
    if again:
        paths = tuple(sorted(scan.stamps))
    else:
        before = frozenset(json.loads(str(store.meta.get(REINCLUDED_KEY) or "[]")))
        again_read = neighbors.affected([*(path for path in scan.changed if path not in stamps), *scan.removed])
        again_read |= before ^ reincluded
        # First, so that where this run is killed what they depend on is new to the next one, too.
        paths = tuple(dict.fromkeys([*sorted(again_read & scan.stamps.keys()), *sorted(scan.changed)]))
    skipped, seen = tuple(scan.skipped), len(scan.stamps)
    return IndexPlan(
        paths, scan.removed, seen, again, skipped, scan.ignored, reincluded, scan.ignored_folders, neighbors.endings
    )  # fmt: skip


def plan_paths(scanner: Scanner, known: dict[str, FileRow], changed: Iterable[str]) -> IndexPlan:
    """The plan for files that are said to have changed; what is ignored now is forgotten."""
    paths, removed = [], []
    neighbors = FolderNeighbors(scanner.root, scanner.path_filter().ignores)
    changed = list(changed)
    came_or_went = [path for path in changed if path not in known or not os.path.lexists(scanner.root / path)]
    for path in dict.fromkeys([*sorted(neighbors.affected(came_or_went)), *changed]):
        if not scanner.ignores(path, False):
            paths.append(path)
        elif path in known:
            removed.append(path)
    reincluded = frozenset(path for path in paths if scanner.reincludes(path))
    return IndexPlan(
        tuple(paths), tuple(removed), len(paths), False, reincluded=reincluded, neighbors=neighbors.endings
    )


@dataclass(frozen=True, slots=True)
class _Start:
    """What was there when a run began: encoders without anything pending, the last chunk. `scanned`: of the whole tree."""

    complete: frozenset[str]
    first_new: int
    scanned: bool
    fetching: FetchStage


def execute(run: IndexingContext, todo: IndexPlan, known: dict[str, FileRow], *, scanned: bool) -> IndexReport:
    """Do what was planned. A failing encoder ends the second stage only, and is noted; so is a failing source of vectors."""
    started = time.perf_counter()
    fetching = FetchStage(run.vector_source, run.store, run.on_vectors, run.cancel)
    start = _Start(run.store.vectors.complete_encoders(), run.store.chunks.last_id(), scanned, fetching)
    try:
        words, embedded, notes = _execute(run, todo, known, start)
    finally:
        fetching.finish()
    return IndexReport(
        files_seen=todo.seen,
        files_changed=words.changed,
        files_removed=words.removed,
        chunks_added=words.added_chunks,
        chunks_removed=words.removed_chunks,
        chunks_embedded=embedded.passages,
        chunks_reused=embedded.reused,
        chunks_fetched=fetching.chunks,
        skipped=(*todo.skipped, *words.skipped),
        ignored_folders=todo.ignored_folders,
        cancelled=embedded.cancelled,
        unreachable=embedded.unreachable,
        seconds=time.perf_counter() - started,
        notes=(*notes, fetching.note) if fetching.note else notes,
    )


def _execute(
    run: IndexingContext, todo: IndexPlan, known: dict[str, FileRow], start: _Start
) -> tuple[FileStats, EmbeddingStats, tuple[str, ...]]:
    """Both stages, one beside the other, and notes."""
    ahead = BackgroundEmbedder(lambda: _embedding(run, start))

    def on_applied(applied: Applied) -> None:
        run.on_applied(applied)
        if len(todo.paths) >= AHEAD_FROM:
            ahead.tell()

    try:
        words = _index_files(run, todo, known, on_applied)
        if start.scanned and not words.cancelled:
            _remember_scan(run.store, todo)
    except BaseException:
        with suppress(C2llmError):
            ahead.finish()
        raise
    embedded, notes = _embed(run, ahead, start, cancelled=words.cancelled)
    return words, embedded, notes


def _index_files(
    run: IndexingContext, todo: IndexPlan, known: dict[str, FileRow], on_applied: Callable[[Applied], None]
) -> FileStats:
    """The first stage. Without changes none of what parses is imported: it is a third of what a search imports of ours."""
    if todo.paths or todo.removed:
        from retrieval.indexing.index_files import index_files

        return index_files(run, todo, known, on_applied)
    run.progress("words", 0, 0)
    return FileStats(cancelled=run.cancel.is_set())


def _embedding(run: IndexingContext, start: _Start) -> tuple[EmbeddingContext, int]:
    """What the second stage works with, and the id that it begins after: where nothing was pending before this run, or it is
    about some files only, just what it added is looked at. All of a workspace is not embedded because a file was saved.
    """
    encoder = run.encoder()
    work = EmbeddingContext(run.store, encoder, run.buffer_vectors(), run.on_vectors, run.cancel, start.fetching)
    return work, start.first_new if not start.scanned or encoder.fingerprint in start.complete else 0


def _embed(
    run: IndexingContext, ahead: BackgroundEmbedder, start: _Start, *, cancelled: bool
) -> tuple[EmbeddingStats, tuple[str, ...]]:
    """The second stage, or what is left of it."""
    try:
        done, reached = ahead.finish()
        if cancelled:
            done.cancelled = True
            return done, ()
        work, after = _embedding(run, start)
        after = after if reached is None else reached
        embed_pending(work, done, after=after, first_new=start.first_new, progress=run.progress)
    except (EncoderError, ModelError) as error:
        stopped = EmbeddingStats(cancelled=cancelled, unreachable=isinstance(error, EncoderUnreachableError))
        return stopped, (f"Falling back to keyword search until the encoder is available: {error}",)
    fingerprint, vectors = work.encoder.fingerprint, run.store.vectors
    if not done.cancelled and (start.scanned or fingerprint in start.complete) and not vectors.complete(fingerprint):
        vectors.note_complete(fingerprint, work.encoder.name)
    return done, ()


def _remember_scan(store: Store, todo: IndexPlan) -> None:
    """What status shows of the last complete look at the tree, written only where it differs."""
    reasons = Counter(skip.reason.partition(":")[0] for skip in todo.skipped)
    if todo.ignored:
        reasons["ignored"] = todo.ignored
    summary = json.dumps(dict(sorted(reasons.items())))
    values: dict[str, str | int | None] = {}
    if store.meta.get(SKIPPED_KEY) != summary:
        values[SKIPPED_KEY] = summary
    if store.meta.get(CHUNKING_KEY) != TEXT_VERSION:
        values[CHUNKING_KEY] = TEXT_VERSION
    named = [skip for skip in todo.skipped if not skip.reason.startswith(_NEVER_NAMED)][:_MAX_LEFT_OUT]
    left_out = json.dumps({skip.path: skip.reason for skip in named}) if named else ""
    if (store.meta.get(LEFT_OUT_KEY) or "") != left_out:
        values[LEFT_OUT_KEY] = left_out
    reincluded = json.dumps(sorted(todo.reincluded)) if todo.reincluded else ""
    if (store.meta.get(REINCLUDED_KEY) or "") != reincluded:
        values[REINCLUDED_KEY] = reincluded
    if todo.paths or todo.removed:
        values[INDEXED_KEY] = int(time.time())
    if values:
        store.meta.set(**values)
