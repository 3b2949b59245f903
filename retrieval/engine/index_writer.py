"""Brings the index of a workspace up to date with the disk. One thread at a time writes, one process at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from retrieval.engine.context import EngineContext
from retrieval.engine.open_buffers import OpenBuffers
from retrieval.errors import EncoderError, IndexLockedError, ModelError, StoreError
from retrieval.indexing import (
    CHUNKING_KEY,
    TEXT_VERSION,
    Cancel,
    IndexingContext,
    IndexPlan,
    NullCancel,
    Progress,
    VectorSource,
    execute,
    plan,
    plan_paths,
    stored_rows,
    writer_lock,
)
from retrieval.store import Store
from retrieval.types import IndexReport

# Changes of these decide about other files: the whole tree is scanned.
IGNORE_FILES = (".gitignore", ".c2llmignore")
# What one file is worth where work is measured in files.
CHUNKS_PER_FILE = 10
# Up to so many changed files their rows are read one by one, beyond that the rows of all files.
FEW_FILES = 500

MakePlan = Callable[[], tuple[IndexPlan, bool]]  # what is to be done, and whether the whole tree was scanned


def no_progress(stage: str, done: int, total: int) -> None:
    """Shows nothing."""


class IndexWriter:
    """Refreshes, maintains and repairs the index. Safe to use from many threads."""

    def __init__(self, context: EngineContext, buffers: OpenBuffers) -> None:
        self._context = context
        self._buffers = buffers
        self.vector_source: VectorSource | None = None  # asked for vectors before anything is embedded

    def refresh(
        self, progress: Progress | None, cancel: Cancel | None, *, wait: float = 0.0, most: int | None = None
    ) -> IndexReport:
        """See Workspace.refresh. The report of an index that can only be read has its notes and nothing else."""
        context, show = self._context, progress or no_progress

        def make_plan() -> tuple[IndexPlan, bool]:
            show("scan", 0, 0)
            return plan(context.scanner, context.store, again=self._chunking_changed()), True

        report = self._run(make_plan, show, cancel or NullCancel(), wait, most)
        self._buffers.refresh()
        return report

    def changed(self, paths: Iterable[str], cancel: Cancel | None = None) -> IndexReport:
        """See Workspace.changed."""
        context, changed_paths = self._context, tuple(dict.fromkeys(paths))
        if self._chunking_changed() or any(self._affects_others(path) for path in changed_paths):
            return self.refresh(None, cancel)

        def make_plan() -> tuple[IndexPlan, bool]:
            return plan_paths(context.scanner, stored_rows(context.store, changed_paths), changed_paths), False

        return self._run(make_plan, no_progress, cancel or NullCancel(), 0.0, None)

    def maintain(self, cancel: Cancel | None, progress: Progress | None, *, threads: int | None) -> None:
        """See Workspace.maintain."""
        stop, show = cancel or NullCancel(), progress or no_progress
        with suppress(EncoderError, ModelError):
            index = self._context.vector_index(self._context.encoder)
            index.maintain(stop.is_set, lambda done, total: show("graph", done, total), threads=threads)

    def repair(self, damaged: Store, *, wait: float = -1) -> None:
        """Replace a damaged store; see RepairableStore.repair."""
        self._context.stores.repair(damaged, wait=wait)

    def set_pending(self, files: int, *, more: bool = False) -> None:
        """From now on answers say that so many changed files wait to be indexed, and with `more`, that other files may have
        changed as well.
        """
        self._context.state.pending = (files, more)

    @contextmanager
    def delegate_writing(self) -> Iterator[None]:
        """While this context is entered, a subprocess of this one brings the index up to date, maintenance included."""
        state = self._context.state
        state.delegated, state.unfinished_files = True, 0  # the subprocess finds them
        try:
            yield
        finally:
            self.resume_writing(scanned=False)
            with suppress(StoreError):  # the next query reports it
                self._context.store.full_text.reload()
                self._context.vector_indexes.take_over()

    def resume_writing(self, *, scanned: bool = True) -> None:
        """The subprocess has brought the index up to date; it is at its maintenance, or has ended."""
        state = self._context.state
        state.scanned = scanned or state.scanned
        state.delegated = False
        self._context.vector_indexes.trust()

    @property
    def complete(self) -> bool:
        """Whether every stored chunk is known to have a vector of the encoder."""
        try:
            return self._context.store.vectors.complete(self._context.encoder.fingerprint)
        except ModelError:
            return False

    def _run(
        self, make_plan: MakePlan, progress: Progress, cancel: Cancel, wait: float, most: int | None
    ) -> IndexReport:
        return self._context.stores.write(lambda: self._run_once(make_plan, progress, cancel, wait, most))

    def _run_once(
        self, make_plan: MakePlan, progress: Progress, cancel: Cancel, wait: float, most: int | None
    ) -> IndexReport:
        context, state, started = self._context, self._context.state, time.perf_counter()
        if not context.stores.make_writable():
            return IndexReport(notes=tuple(context.stores.notes))
        try:
            state.scanning = True
            with context.stores.writing, writer_lock(context.store.directory, wait=wait) as died:
                todo, scanned = make_plan()
                state.scanning = False
                if most is not None and self._exceeds(todo, most):
                    return IndexReport(large=True)
                left = 0 if scanned else state.unfinished_files  # what an interrupted scan has not stored
                state.unfinished_files = left + len(todo.paths) + len(todo.removed)
                rows = stored_rows(context.store, todo.paths if len(todo.paths) < FEW_FILES else None)
                context.vector_indexes.prepare(compare=died)
                state.writing = True
                report = execute(self._indexing_context(progress, cancel, left), todo, rows, scanned=scanned)
        except IndexLockedError as error:
            state.scanned = False
            return IndexReport(busy=True, seconds=time.perf_counter() - started, notes=(str(error),))
        finally:
            state.writing = state.scanning = False
        state.scanned = state.scanned or (scanned and not report.cancelled)
        return report

    def _indexing_context(self, progress: Progress, cancel: Cancel, left: int) -> IndexingContext:
        context = self._context
        return IndexingContext(
            context.store,
            context.root,
            context.scanner.max_bytes,
            lambda: context.encoder,
            lambda: context.overlay.buffer_vectors(context.encoder.fingerprint),
            context.vector_indexes.follow,
            context.vector_indexes.add,
            self._counting(progress, left),
            cancel,
            self.vector_source,
        )

    def _exceeds(self, todo: IndexPlan, most: int) -> bool:
        if len(todo.paths) > most:
            return True
        try:
            return self._context.store.vectors.pending_count(self._context.encoder.fingerprint) > most * CHUNKS_PER_FILE
        except (EncoderError, ModelError):
            return False

    def _counting(self, progress: Progress, left: int) -> Progress:
        """The progress, which also tells the state how many files are unfinished, beside those left before."""

        def count(stage: str, done: int, total: int) -> None:
            if stage == "words":
                self._context.state.unfinished_files = left + total - done
            progress(stage, done, total)

        return count

    def _chunking_changed(self) -> bool:
        """Whether the stored chunks were made by other rules than this version's."""
        stored_version = self._context.store.meta.get(CHUNKING_KEY)
        return stored_version is not None and stored_version != TEXT_VERSION

    def _affects_others(self, path: str) -> bool:
        return path.rpartition("/")[2] in IGNORE_FILES or (self._context.root / path).is_dir()
