"""A workspace: a folder whose code can be searched. The facade of the engine.

    with Workspace.open("~/project") as workspace:
        workspace.refresh()
        answer = workspace.search("where are redirects followed")

A query is answered at once from what is indexed so far, whatever else goes on: readers of the store do not wait for
the writer, and the answer's freshness says what is pending. What is not available (a model that does not load, a cache
folder that cannot be written, another process that is indexing) becomes a note of the answer or report, not an error.

Changing the encoder: each has vectors and a graph of its own, by its fingerprint. Until those of the new one are
complete the last complete one goes on answering, if it can still be loaded; the answer says which was used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from retrieval.encoders import Encoder
from retrieval.engine.context import EngineContext
from retrieval.engine.index_state import Status
from retrieval.engine.index_writer import IndexWriter
from retrieval.engine.listener import NullListener, WorkspaceListener
from retrieval.engine.open_buffers import OpenBuffers
from retrieval.engine.opening import open_store, usable
from retrieval.engine.query_engine import QueryEngine
from retrieval.engine.symbol_queries import SymbolQueries
from retrieval.engine.verification import Verifier
from retrieval.errors import StoreError
from retrieval.files import MAX_BYTES, Scanner
from retrieval.indexing import Cancel, Progress
from retrieval.private_files import write_private
from retrieval.search import Snapshot
from retrieval.store import Store, vectors_file, workspace_folder
from retrieval.types import Answer, Duplicate, Explanation, Freshness, IndexReport, SearchRequest, SimilarRequest

# A query whose index was damaged waits so long for another process that fills the new one.
REFILL_WAIT = 60.0


def _never_stop() -> None:
    """A check that lets the query go on."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Which files are left out besides those that ignore files name: patterns as in .gitignore, and a size in bytes."""

    excludes: tuple[str, ...] = ()
    max_bytes: int = MAX_BYTES


class Workspace:
    """Wires the index writer, its verifier, the query engines and the open buffers. Safe to use from many threads: any number
    query, one at a time writes.
    """

    def __init__(self, context: EngineContext) -> None:
        self.root = context.root
        self.scanner = context.scanner
        self.encoders = context.encoders
        self.context = context
        self.buffers = OpenBuffers(context)
        self.writer = IndexWriter(context, self.buffers)
        self.verifier = Verifier(context, self.writer)
        self.queries = QueryEngine(context)
        self.symbols = SymbolQueries(context)
        context.stores.refill = self._refill

    @classmethod
    def open(
        cls,
        root: Path | str,
        *,
        encoder: Encoder | None = None,
        load_encoder: Callable[[], Encoder] | None = None,
        cache_dir: Path | None = None,
        limits: FileLimits = FileLimits(),
        threads: int | None = None,
    ) -> Workspace:
        """Open the index of a folder, or make an empty one; nothing is read of the folder yet.

        Without an encoder `load_encoder` gives it when it is needed, else it is the embedded one. Raises WorkspaceError
        for a root that cannot be used, NewerSchemaError, StoreError.
        """
        shared = vectors_file(cache_dir)
        scanner = Scanner(
            usable(Path(root)), extra_excludes=limits.excludes, max_bytes=limits.max_bytes, cache=shared.parent
        )
        folder = workspace_folder(scanner.root, cache_dir)
        opened = open_store(folder, shared)
        if not opened.store.read_only:
            with suppress(OSError):  # only for people and `clear`: which folder this index is of
                write_private(folder / "root.json", json.dumps({"root": str(scanner.root)}))
        context = EngineContext(
            scanner,
            opened,
            encoder=encoder,
            load_encoder=load_encoder,
            cache_dir=shared.parent,
            threads=threads,
        )
        return cls(context)

    def set_listener(self, listener: WorkspaceListener) -> None:
        """Tell this listener from now on; whoever keeps the workspace current is one."""
        self.context.listener = listener

    # -- writing ----------------------------------------------------------------------------------------------------

    def refresh(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        *,
        wait: float = 0.0,
        most: int | None = None,
    ) -> IndexReport:
        """Compare with the disk and index what changed: words first, then vectors. Costs milliseconds if nothing did.

        Where another process is indexing (after `wait` seconds), nothing is done and the report says `busy`; nothing is
        done either where more files than `most` are to be read, or ten times as many chunks to be embedded, and the
        report says `large`.
        """
        return self.writer.refresh(progress, cancel, wait=wait, most=most)

    def changed(self, paths: Iterable[str], cancel: Cancel | None = None) -> IndexReport:
        """Index files that are reported as changed; folders and ignore files cause a scan of everything."""
        return self.writer.changed(paths, cancel)

    def maintain(
        self, cancel: Cancel | None = None, progress: Progress | None = None, *, threads: int | None = None
    ) -> None:
        """Maintenance for a quiet moment: build or rebuild the graph of a large workspace, and save it. It takes one
        thread, or as many as are given.
        """
        self.writer.maintain(cancel, progress, threads=threads)

    # -- open buffers -----------------------------------------------------------------------------------------------

    def set_buffer(self, path: str, text: str) -> int:
        """Show unsaved text of an open buffer in place of its file; returns how many chunks were embedded. Where the
        encoder fails, the buffer is found by its words.

        What would not be indexed if it were saved (ignored, secret, outside the root, too large) is not shown. After a
        save call `changed` first and this, if at all, after it: otherwise the file's former text would be seen between
        the two.
        """
        return self.buffers.set_buffer(path, text)

    def prefetch_buffer(self, path: str, text: str) -> None:
        """Do ahead what can be done of `set_buffer` for a text that is likely to come next; searches do not see it."""
        self.buffers.prefetch_buffer(path, text)

    def close_buffer(self, path: str) -> None:
        """A buffer was closed: its file is seen again."""
        self.buffers.close_buffer(path)

    # -- queries ----------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest | str, *, cancel: Cancel | None = None) -> Answer:
        """The best places for a query in words or a name; a string is a request with the defaults. Raises QueryError,
        and CancelledError soon after it is.
        """
        return self.queries.search(SearchRequest(request) if isinstance(request, str) else request, cancel)

    def similar(self, request: SimilarRequest) -> Answer:
        """The places most like the code at a line of a file, or like a piece of code. Raises QueryError."""
        return self.queries.similar(request)

    def explain(self, path: str, line: int, query: str = "") -> Explanation:
        """Where the model looks in the chunk at a line, and what of it answers a query. Open buffers count.

        Raises QueryError, ModelError, EncoderError.
        """
        return self.queries.explain(path, line, query)

    def near_duplicates(self, path: str, check: Callable[[], None] = _never_stop) -> tuple[Duplicate, ...]:
        """The chunks of a file or open buffer that are almost the same as one elsewhere. Nothing is embedded for it.

        Raises what `check` raises, which is called now and then, and StoreError.
        """
        return self.queries.near_duplicates(path, check)

    def code_at(self, path: str, line: int) -> str:
        """What `similar` compares with at a line of a file. Raises QueryError."""
        return self.queries.code_at(path, line)

    def snapshot(self) -> tuple[Snapshot, tuple[str, ...]]:
        """What a query is answered from now, and what should be said about it."""
        return self.queries.snapshot()

    # -- state ------------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The present store: a repair replaces it."""
        return self.context.store

    @property
    def encoder(self) -> Encoder:
        """The encoder of this workspace, loaded at the first use, and again when a remote one serves another model.
        Raises ModelError.
        """
        return self.context.encoder

    @property
    def complete(self) -> bool:
        """Whether every stored chunk is known to have a vector of the encoder."""
        return self.writer.complete

    def freshness(self) -> Freshness:
        """How current an answer would be now. Loads the encoder, because what is pending depends on it."""
        return self.queries.freshness()

    def status(self) -> Status:
        """What is indexed, and how well. Loads the encoder, because what is pending depends on it."""
        return self.queries.status()

    def _refill(self) -> None:
        """A query has met damage, and what was damaged is empty now. Whoever keeps the workspace current fills it again
        behind the answers; where nobody does, the query is answered after that.
        """
        if isinstance(self.context.listener, NullListener):
            with suppress(StoreError):
                self.writer.refresh(None, None, wait=REFILL_WAIT)

    def close(self) -> None:
        """Save what is worth it and release the files."""
        self.context.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
