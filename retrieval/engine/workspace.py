"""A workspace: a folder whose code can be asked for. The facade of the engine.

    with Workspace.open("~/project") as workspace:
        workspace.refresh()
        answer = workspace.search("where are redirects followed")

A query is answered from what is indexed so far, at once, whatever else goes on: readers of the store do not wait for
the writer, and the answer's freshness says what is pending. What cannot be had (a model that does not load, a cache
folder that cannot be written, another process that is indexing) becomes a note of the answer or report, not an error.

Changing the encoder: each has vectors and a graph of its own, by its fingerprint. Until those of the new one are
complete the last complete one goes on answering, if it can still be loaded; the answer says which was used.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import CHUNKING_VERSION, passage
from retrieval.encoders import Encoder
from retrieval.engine.encoder_selection import Models
from retrieval.engine.explain import chunk_at
from retrieval.engine.explain import explain as explain_place
from retrieval.engine.index_state import Standing, Status
from retrieval.engine.opening import open_store, usable
from retrieval.engine.vector_indexes import Lives
from retrieval.errors import (
    Cancelled,
    DamagedStoreError,
    EncoderError,
    Locked,
    ModelError,
    QueryError,
    StoreError,
    Unreachable,
)
from retrieval.files import MAX_BYTES, Scanner
from retrieval.indexing import (
    CHUNKING_KEY,
    Cancel,
    LiveIndex,
    OverlaidIndex,
    OverlaidRows,
    Overlay,
    Plan,
    Progress,
    Run,
    execute,
    plan,
    plan_paths,
    rows_known,
    writer_lock,
)
from retrieval.search import DEFAULT, NO_FILTERS, SALIENT, Rows, Snapshot, Weights, inverse_frequencies, parse
from retrieval.search import search as search_index
from retrieval.search import similar as search_similar
from retrieval.search.duplicates import Known
from retrieval.search.duplicates import near_duplicates as duplicates_in
from retrieval.search.highlighting import LineVectors, by_meaning
from retrieval.store import Store, passage_hash, vectors_file, workspace_folder
from retrieval.types import Answer, Chunk, Duplicate, Explanation, Filters, Freshness, Hit, IndexReport
from retrieval.vectors import ExactIndex, VectorIndex

# Of so many files it is kept in mind what is almost the same elsewhere.
_ALIKE_FILES = 200
# A question that meets damage waits this long for a run to end before it says so.
_REPAIR_WAIT = 1.0
# Changes of these decide about other files: the whole tree is looked at.
_DECISIVE = (".gitignore", ".c2llmignore")
# What one file is worth where work is measured in files.
_CHUNKS_A_FILE = 10
# A query that a commit has overtaken may have seen some of it: it is asked again, at most so often in all.
_ATTEMPTS = 5


Answered = TypeVar("Answered")
Look = Callable[[], tuple[Plan, bool]]  # what is to be done, and whether the whole tree was looked at


class Never:
    """A cancel that does not come."""

    def is_set(self) -> bool:
        return False


def _go_on() -> None:
    """A check that lets go on."""


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


class Workspace:
    """Safe to use from many threads: any number ask, one at a time refreshes."""

    def __init__(
        self,
        scanner: Scanner,
        store: Store,
        *,
        encoder: Encoder | None,
        load_encoder: Callable[[], Encoder] | None,
        cache_dir: Path | None,
        threads: int | None,
        notes: Sequence[str] = (),
    ) -> None:
        self.root = scanner.root
        self.scanner = scanner
        self.store = store
        self._notes = list(notes)
        self._models = Models(encoder, load_encoder, threads)
        self._models.on_other = self._become_other
        self._lives = Lives(threads=threads, cache_dir=cache_dir, led=lambda: self._standing.writing)
        self._lines = LineVectors()
        self._overlay = Overlay(scanner)
        self._refreshing = threading.Lock()
        self._mending = threading.Lock()
        self._alike: dict[str, Known] = {}  # by path, the last asked for at the end
        self._standing = Standing()
        self._closed = False
        # Whoever keeps the workspace current sets these.
        self.on_repair: Callable[[], None] = lambda: (
            None
        )  # a damaged index was set aside: its successor has to be filled
        self.on_other: Callable[[], None] = lambda: (
            None
        )  # the encoder has become another one: all is to be embedded anew
        self.on_unreachable: Callable[[], None] = lambda: (
            None
        )  # a buffer waits for an encoder that could not be reached

    @classmethod
    def open(
        cls,
        root: Path | str,
        *,
        encoder: Encoder | None = None,
        load_encoder: Callable[[], Encoder] | None = None,
        cache_dir: Path | None = None,
        excludes: Iterable[str] = (),
        max_bytes: int = MAX_BYTES,
        threads: int | None = None,
    ) -> Workspace:
        """Open the index of a folder, or make an empty one; nothing is read of the folder yet.

        Without an encoder `load_encoder` gives it when it is needed, else it is the embedded one. Raises WorkspaceError
        for a root that cannot be used, NewerSchemaError, StoreError.
        """
        scanner = Scanner(usable(Path(root)), extra_excludes=excludes, max_bytes=max_bytes)
        folder = workspace_folder(scanner.root, cache_dir)
        shared = vectors_file(cache_dir)
        store, notes = open_store(folder, shared)
        if not store.read_only:
            with suppress(OSError):  # only for people and `clear`: which folder this index is of
                (folder / "root.json").write_text(json.dumps({"root": str(scanner.root)}))
        return cls(
            scanner,
            store,
            encoder=encoder,
            load_encoder=load_encoder,
            cache_dir=shared.parent,
            threads=threads,
            notes=(*notes, *store.notes),
        )

    # -- keeping current --------------------------------------------------------------------------------------------

    def refresh(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        *,
        wait: float = 0.0,
        most: int | None = None,
    ) -> IndexReport:
        """Compare with the disk and index what changed: words first, then vectors. What is current costs milliseconds.

        Where another process is indexing (after `wait` seconds), nothing is done and the report says `busy`; nothing is
        done either where more files than `most` are to be read, or ten times as many chunks to be embedded, and the
        report says `large`.
        """
        show = progress or _silent

        def look() -> tuple[Plan, bool]:
            show("scan", 0, 0)
            return plan(self.scanner, self.store, again=self._chunked_otherwise()), True

        report = self._run(look, show, cancel or Never(), wait, most)
        with suppress(ModelError):
            self._overlay.adopt(self.encoder.fingerprint)
        for path, text in (*self._overlay.judge_again(), *self._overlay.worded()):
            self._update(path, text, again=True)  # somebody may have typed on meanwhile, or closed it
        return report

    def changed(self, paths: Iterable[str], cancel: Cancel | None = None) -> IndexReport:
        """Index files that are said to have changed; folders and ignore files make it look at everything."""
        wanted = tuple(dict.fromkeys(paths))
        if self._chunked_otherwise() or any(self._decides(path) for path in wanted):
            return self.refresh(cancel=cancel)

        def look() -> tuple[Plan, bool]:
            return plan_paths(self.scanner, rows_known(self.store, wanted), wanted), False

        return self._run(look, _silent, cancel or Never(), 0.0)

    def update(self, path: str, text: str | None) -> int:
        """Show unsaved text of an open buffer in place of its file; None when it is closed. Nothing is written to disk.
        How many chunks were embedded. A failing encoder leaves the buffer searchable by words.

        What would not be indexed if it were saved (ignored, secret, outside the root, too large) is not shown. After a
        save let `changed` come first and this, if at all, behind it: between the two the file's former text would be
        seen else.
        """
        return self._update(path, text)

    def _update(self, path: str, text: str | None, *, again: bool = False) -> int:
        if text is not None:
            self.store.want_words()
        try:
            encoder = self.encoder
            if text is not None and not getattr(encoder, "instant", False):
                self._overlay.update(self.store, None, path, text, again=again)  # words are found while it is embedded
            return self._overlay.update(self.store, encoder, path, text, again=again)
        except (EncoderError, ModelError) as error:
            if isinstance(error, Unreachable):
                self.on_unreachable()
            return self._overlay.update(self.store, None, path, text, again=again)

    def prepare(self, path: str, text: str) -> None:
        """Do ahead what can be done of `update` for a text that is likely to come next; nothing is seen of it before."""
        self._overlay.prepare(path, text)

    def expect(self, files: int, *, more: bool = False) -> None:
        """Answers say from now on that so many files are known to have changed and wait to be looked at, and, with
        `more`, that others may have.
        """
        self._standing.expected = (files, more)

    def settle(self, cancel: Cancel | None = None, progress: Progress = _silent, *, threads: int | None = None) -> None:
        """Upkeep for a quiet moment: make or renew the graph of a large workspace, and save it. It takes one thread, or as many
        as are given.
        """
        stop = cancel or Never()
        with suppress(EncoderError, ModelError):
            live = self._live(self.encoder)
            live.settle(stop.is_set, lambda done, total: progress("graph", done, total), threads=threads)

    def _run(self, look: Look, progress: Progress, cancel: Cancel, wait: float, most: int | None = None) -> IndexReport:
        store = self.store
        try:
            return self._run_once(look, progress, cancel, wait, most)
        except StoreError as error:
            # A closed store is one that a repair could not replace.
            if self._closed or not (isinstance(error, DamagedStoreError) or store.closed):
                raise
            self._repair(store)
            return self._run_once(look, progress, cancel, wait, most)

    def _run_once(self, look: Look, progress: Progress, cancel: Cancel, wait: float, most: int | None) -> IndexReport:
        started = time.perf_counter()
        if self.store.read_only:
            return IndexReport(notes=tuple(self._notes))
        try:
            self._standing.looking = True
            with self._refreshing, writer_lock(self.store.directory, wait=wait):
                todo, scanned = look()
                self._standing.looking = False
                if most is not None and self._exceeds(todo, most):
                    return IndexReport(large=True)
                self._standing.undone = len(todo.paths) + len(todo.removed)
                known = rows_known(self.store, todo.paths if len(todo.paths) < 500 else None)
                self._lives.prepare()
                self._standing.writing = True
                report = execute(
                    Run(
                        self.store,
                        self.root,
                        self.scanner.max_bytes,
                        lambda: self.encoder,
                        lambda: self._overlay.known_vectors(self.encoder.fingerprint),
                        self._lives.follow,
                        self._lives.add,
                        self._counting(progress),
                        cancel,
                    ),
                    todo,
                    known,
                    scanned=scanned,
                )
        except Locked as error:
            self._standing.looked = False
            return IndexReport(busy=True, seconds=time.perf_counter() - started, notes=(str(error),))
        finally:
            self._standing.writing = self._standing.looking = False
        self._standing.looked = self._standing.looked or (scanned and not report.cancelled)
        return report

    def _exceeds(self, todo: Plan, most: int) -> bool:
        if len(todo.paths) > most:
            return True
        try:
            return self.store.pending_count(self.encoder.fingerprint) > most * _CHUNKS_A_FILE
        except (EncoderError, ModelError):
            return False

    @contextmanager
    def written_elsewhere(self) -> Iterator[None]:
        """Meanwhile a process that this one has started brings the index up to date, upkeep included."""
        self._standing.helped = True
        try:
            yield
        finally:
            self.trust(looked=False)
            with suppress(StoreError):  # the next question says so
                self.store.take_over_words()
                self._lives.take_over()

    def trust(self, *, looked: bool = True) -> None:
        """What that process has done counts as done here; it is at its upkeep, or has ended."""
        self._standing.looked = looked or self._standing.looked
        self._standing.helped = False
        self._lives.trust()

    def _counting(self, progress: Progress) -> Progress:
        """The progress, on its way past what the freshness says."""

        def shown(stage: str, done: int, total: int) -> None:
            if stage == "words":
                self._standing.undone = total - done
            progress(stage, done, total)

        return shown

    def _chunked_otherwise(self) -> bool:
        """Whether the rows were cut by other rules than this program's."""
        found = self.store.get_meta(CHUNKING_KEY)
        return found is not None and found != CHUNKING_VERSION

    def _decides(self, path: str) -> bool:
        return path.rpartition("/")[2] in _DECISIVE or (self.root / path).is_dir()

    # -- asking -----------------------------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder:
        """The encoder of this workspace, loaded at the first use, and when what runs elsewhere has become another one.
        Raises ModelError.
        """
        return self._models.current

    def _become_other(self) -> None:
        self.on_other()

    @property
    def complete(self) -> bool:
        """Whether every stored chunk is known to have a vector of the encoder."""
        try:
            return self.store.complete(self.encoder.fingerprint)
        except ModelError:
            return False

    @property
    def encoder_ready(self) -> bool:
        """Whether an encoder that could not be reached can be had again. Waits for nobody."""
        return self._models.ready

    def search(
        self,
        query: str,
        k: int = 10,
        filters: Filters = NO_FILTERS,
        *,
        weights: Weights = DEFAULT,
        cancel: Cancel | None = None,
    ) -> Answer:
        """The k best places for a question in words or a name. Raises QueryError, and Cancelled soon after it is."""
        check = _checks(cancel)
        return self._answer(lambda snapshot: search_index(snapshot, query, k, filters, weights, check))

    def highlight(self, answer: Answer, query: str) -> Answer:
        """The answer with the lines to show chosen more closely: by what each means, beside its words. For answers that
        somebody is about to read: it takes some milliseconds. Encoders that would take long leave it as it is.
        """
        encoder = self._models.loaded
        if encoder is None or encoder.name != answer.encoder or not getattr(encoder, "instant", False):
            return answer
        try:
            wanted = inverse_frequencies(Snapshot(self._overlay.seen(self.store)), parse(query).terms)
            hits = by_meaning(answer.hits, query, encoder, self._lines, wanted, SALIENT)
        except EncoderError:
            return answer
        return replace(answer, hits=hits)

    def similar(
        self,
        *,
        path: str = "",
        line: int = 0,
        last: int = 0,
        text: str = "",
        k: int = 10,
        filters: Filters = NO_FILTERS,
    ) -> Answer:
        """The k places most like the code at a line of a file, or like a piece of code. Raises QueryError.

        A piece may be that of the lines from `line` to `last` of a file: what is there is left out then.
        """
        if not path and not text.strip():
            raise QueryError("There is no code to compare with: give a file and line, or a piece of code.")

        def ask(snapshot: Snapshot) -> tuple[Hit, ...]:
            if text:
                own = [row for row, chunk in snapshot.rows.file_chunks(path) if _overlaps(chunk, line, last)]
                return search_similar(snapshot, text, k, filters, own)
            row, code = _passage_at(snapshot.rows, path, line)
            return search_similar(snapshot, code, k, filters, (row,))

        return self._answer(ask)

    def code_at(self, path: str, line: int) -> str:
        """What `similar` compares with at a line of a file. Raises QueryError."""
        return _passage_at(self._overlay.seen(self.store), path, line)[1]

    def explain(self, path: str, line: int, query: str = "") -> Explanation:
        """Where the model looks in the chunk at a line, and what of it answers a query. Open buffers count.

        Raises QueryError, ModelError, EncoderError.
        """

        def ask() -> Explanation:
            return explain_place(Snapshot(self._overlay.seen(self.store)), self.encoder, path, line, query)

        explanation = self._mended(ask)
        return replace(explanation, freshness=self.freshness())

    def near_duplicates(self, path: str, check: Callable[[], None] = _go_on) -> tuple[Duplicate, ...]:
        """The chunks of a file or open buffer that are almost the same as one elsewhere. Nothing is embedded for it.

        Raises what `check` raises, which is called now and then, and StoreError.
        """

        def ask() -> tuple[Duplicate, ...]:
            change, known = self.store.change, self._alike.pop(path, Known())
            others = known.others if known.change == change else {}
            found, others = duplicates_in(self.snapshot()[0], path, self._vectors_of, check, others)
            self._alike[path] = Known(change, others)
            for old in list(self._alike)[:-_ALIKE_FILES]:
                self._alike.pop(old, None)
            return found

        return self._mended(ask)

    def _vectors_of(self, encoder: Encoder, chunks: Sequence[Chunk]) -> list[NDArray[np.float32] | None]:
        """The vectors of chunks that are stored or shown; None for one that has none yet."""
        names = [passage_hash(passage(chunk)) for chunk in chunks]
        known: dict[bytes, NDArray[np.float32]] = self.store.vectors_of_passages(encoder.fingerprint, names)
        known = self._overlay.known_vectors(encoder.fingerprint) | known
        return [known.get(name) for name in names]

    def _answer(self, ask: Callable[[Snapshot], tuple[Hit, ...]]) -> Answer:
        return self._mended(lambda: self._answer_once(ask))

    def _mended(self, ask: Callable[[], Answered]) -> Answered:
        """What is asked for; again where the index had to be repaired, here or by another thread meanwhile."""
        for _ in range(_ATTEMPTS):
            store = self.store
            try:
                return ask()
            except DamagedStoreError:
                self._repair(store, wait=_REPAIR_WAIT)
            except StoreError:
                with self._mending:  # another thread may just be at it: it closes what it replaces
                    if self.store is store and (self._closed or not store.closed):
                        raise
                self._repair(store, wait=_REPAIR_WAIT)  # what should have replaced it could not be opened
        return ask()

    def _repair(self, damaged: Store, *, wait: float = -1) -> None:
        """Look at every page of both databases and replace what is damaged; the next refresh fills it again.

        Raises DamagedStoreError where a run does not end within `wait` seconds: it will meet the damage itself.
        """
        if self.store is not damaged:
            return  # another thread was faster, and the run that fills the new one may take its time
        if not self._refreshing.acquire(timeout=wait):
            if self.store is not damaged:
                return
            raise DamagedStoreError(f"The index in {damaged.directory} is damaged: it is built anew in a moment.")
        try:
            if self.store is not damaged:
                return
            folder, shared, read_only = damaged.directory, damaged.vectors_path, damaged.read_only
            with self._mending:
                damaged.close()
                self.store = Store.open(folder, vectors=shared, read_only=read_only, check=True)
            self._lives.forget()
            self._standing.damaged()
            self._notes += self.store.notes
        finally:
            self._refreshing.release()
        self.on_repair()

    def _answer_once(self, ask: Callable[[Snapshot], tuple[Hit, ...]]) -> Answer:
        started = time.perf_counter()
        for attempt in range(_ATTEMPTS):
            rows = self._overlay.seen(self.store)
            snapshot, notes = self._snapshot_of(rows)
            try:
                hits = ask(snapshot)
            except EncoderError as error:
                snapshot, notes = Snapshot(rows), (*notes, f"Answered by words only: {error}")
                hits = ask(snapshot)
            # While all of it is being written commits come all the time, and the answer says that it is stale.
            if rows.store.change == rows.change or self._standing.helped or attempt == _ATTEMPTS - 1:
                break
        encoder = self._models.loaded
        return Answer(
            hits=hits,
            freshness=self._freshness(encoder.fingerprint if encoder else ""),
            encoder=snapshot.encoder.name if snapshot.encoder is not None else "",
            seconds=time.perf_counter() - started,
            notes=tuple(dict.fromkeys((*self._notes, *notes))),
        )

    def snapshot(self) -> tuple[Snapshot, tuple[str, ...]]:
        """What a query is answered from now, and what should be said about it."""
        return self._snapshot_of(self._overlay.seen(self.store))

    def _snapshot_of(self, rows: OverlaidRows) -> tuple[Snapshot, tuple[str, ...]]:
        """These rows with the encoder's vectors, with those of the last complete one while they are missing, or words
        alone.
        """
        try:
            encoder = self.encoder
        except ModelError as error:
            return Snapshot(rows), (f"Answered by words only: {error}",)
        last = self.store.last_encoder()
        if last is not None and last[1] != encoder.fingerprint and not self.store.complete(encoder.fingerprint):
            former = self._models.former(*last)
            if former is not None:
                note = f"Answered with the vectors of {former.name}; those of {encoder.name} are not complete yet."
                return _with_vectors(rows, self._live(former).current(), None, former), (note,)
        live = self._live(encoder)
        buffers = rows.view.index if rows.view.fingerprint == encoder.fingerprint else None
        return _with_vectors(rows, live.current(), buffers, encoder), live.notes

    def _live(self, encoder: Encoder) -> LiveIndex:
        return self._lives.of(encoder, self.store)

    # -- saying how it stands ---------------------------------------------------------------------------------------

    def freshness(self) -> Freshness:
        """How current an answer would be now. Loads the encoder, because what is pending depends on it."""
        try:
            fingerprint = self.encoder.fingerprint
        except ModelError:
            fingerprint = ""
        return self._mended(lambda: self._freshness(fingerprint))

    def _freshness(self, fingerprint: str) -> Freshness:
        stored = self._standing.freshness(self.store, fingerprint, self._lives.known(fingerprint))
        return replace(stored, pending_chunks=stored.pending_chunks + self._overlay.waiting)

    def status(self) -> Status:
        """What is indexed, and how well. Loads the encoder, because what is pending depends on it."""
        return self._mended(self._status)

    def _status(self) -> Status:
        try:
            encoder = self.encoder
        except ModelError as error:
            return self._standing.status(self.root, self.store, None, None, (*self._notes, str(error)))
        return self._standing.status(self.root, self.store, encoder, self._live(encoder), self._notes)

    def close(self) -> None:
        """Save what is worth it and let go of the files."""
        if self._closed:
            return
        self._closed = True
        self._lives.save()
        self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checks(cancel: Cancel | None) -> Callable[[], None]:
    """What a query calls between its stages."""

    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("The query was given up.")

    return check


def _with_vectors(rows: OverlaidRows, stored: VectorIndex, buffers: ExactIndex | None, encoder: Encoder) -> Snapshot:
    index = OverlaidIndex(stored, buffers, rows.hidden)
    return Snapshot(rows, index, encoder) if len(index) else Snapshot(rows)


def _overlaps(chunk: Chunk, first: int, last: int) -> bool:
    return chunk.start_line <= last and chunk.end_line >= first


def _passage_at(rows: Rows, path: str, line: int) -> tuple[int, str]:
    """The chunk at a line (or the first behind it) and what the encoder reads of it."""
    chunks = rows.file_chunks(path)
    found = chunk_at(path, line, [chunk for _, chunk in chunks])
    return next(row for row, chunk in chunks if chunk is found), passage(found)
