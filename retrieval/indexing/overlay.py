"""Unsaved text of open buffers, seen in place of their files: in memory only, so that it leaves no trace.

Search asks `OverlaidRows` and `OverlaidIndex` (overlay_snapshot.py) as it would ask the store and the vector index; they hide the
rows of the files that are open and add the buffers' own, under negative ids. Only chunks whose passage is new are
embedded: what the store has, or what a buffer had a moment ago, is looked up by its hash.

What would not be indexed if it were saved is not shown either: a buffer that the ignore rules leave out or that is a
secret is as good as closed, one whose text has become too large or minified hides its file and shows nothing.

A change costs what changes, however many buffers are open: words and vectors of all buffers are kept in a BM25 index and an
index of their own, which take rows out and in. What a query holds is a `BuffersSnapshot`, which never changes.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import passage
from retrieval.encoders.protocol import Encoder
from retrieval.files import PathFilter, Scanner, is_inside, skip_reason
from retrieval.indexing.folder_neighbors import FolderNeighbors
from retrieval.indexing.overlay_snapshot import Buffer, BufferChunk, BuffersSnapshot, OverlaidRows, StoreSnapshot
from retrieval.store import Bm25Index, Store, passage_hash, split_identifiers
from retrieval.store.rows import NO_STRUCTURE, PackedStructure
from retrieval.types import Chunk
from retrieval.vectors import ExactIndex

Ids = NDArray[np.int64]
Vector = NDArray[np.float32]

# Vectors of passages that buffers held lately, so that an undo embeds nothing: 2 MB at 256 dimensions.
REMEMBERED = 2_000
# Ids of buffers' rows count up from here: below all that the store gives, and ascending, as a BM25 index wants them.
_FIRST_ID = -(1 << 62)


@dataclass(slots=True)
class _RowChanges:
    """What an update does: rows that go and come, by id."""

    gone: list[BufferChunk] = field(default_factory=list)
    came: list[BufferChunk] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _ChunkedText:
    """What becomes of a text: its chunks, each with the hash of its passage."""

    path: str
    text: str
    chunks: tuple[tuple[Chunk, bytes], ...]
    language: str = ""
    structure: PackedStructure = NO_STRUCTURE


class Overlay:
    """The open buffers of one workspace. May be used from any thread."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._ignored: dict[str, bool] = {}  # open paths: whether they are left out
        self._ignored_texts: dict[str, str] = {}  # their texts, for the day that the rules change
        self._updating = threading.Lock()  # one at a time changes them; queries go on meanwhile
        self._view = BuffersSnapshot()
        self._bm25 = Bm25Index()
        self._index: ExactIndex | None = None
        self._last: _ChunkedText | None = None  # the text chunked last, perhaps by a prefetch
        self._spare: dict[bytes, Vector] = {}  # of rows that went, oldest first
        self._next_id = _FIRST_ID
        self._hidden: tuple[tuple[Store, int] | None, dict[str, Ids]] = (None, {})
        self._stored: StoreSnapshot | None = None
        self._seen: OverlaidRows | None = None

    def __bool__(self) -> bool:
        return bool(self._view.buffers)

    def set_buffer(
        self, store: Store, encoder: Encoder | None, path: str, text: str, *, if_unchanged: bool = False
    ) -> int:
        """Show this text in place of the file; returns how many chunks were embedded.

        Without an encoder the buffer is found by keywords only. With `if_unchanged` nothing happens if the buffer has
        another text by now, or was closed. Raises EncoderError; the buffer is then unchanged.
        """
        with self._updating:
            if if_unchanged and text != self.text_of(path):
                return 0
            return self._update(store, encoder, path, text)

    def close_buffer(self, store: Store, encoder: Encoder | None, path: str) -> None:
        """Show the file again."""
        with self._updating:
            self._ignored.pop(path, None)
            self._last = None
            self._update(store, encoder, path, None)

    def prefetch_buffer(self, path: str, text: str) -> None:
        """Chunk a text that `set_buffer` is likely to get next, which is most of its work. Queries do not see it yet."""
        if not self._ignored.get(path, False):
            self._last = self._chunk(path, text)

    def recheck_ignored(self) -> list[tuple[str, str]]:
        """Ignore rules may have changed: the buffers that are to be updated for it, with their texts."""
        with self._updating:
            before, self._ignored = self._ignored, {}
            path_filter = self._scanner.path_filter()
            changed = [path for path, ignored in before.items() if self._is_ignored(path, path_filter) != ignored]
            texts = {path: buffer.text for path, buffer in self._view.buffers.items()} | self._ignored_texts
            return [(path, texts[path]) for path in changed if path in texts]

    def set_encoder(self, fingerprint: str) -> None:
        """From now on this encoder's vectors count. Those of another one say nothing beside them: they go, and the buffers are
        found by keywords until they are updated.
        """
        with self._updating:
            self._set_encoder(fingerprint)

    @property
    def waiting(self) -> int:
        """Chunks of buffers that have no vector."""
        return sum(buffer.waiting for buffer in self._view.buffers.values())

    def unembedded(self) -> list[tuple[str, str]]:
        """The buffers without vectors, because the encoder failed, with their texts."""
        return [(path, buffer.text) for path, buffer in self._view.buffers.items() if not buffer.embedded]

    def text_of(self, path: str) -> str | None:
        buffer = self._view.buffers.get(path)
        return buffer.text if buffer is not None else self._ignored_texts.get(path)

    def _is_ignored(self, path: str, path_filter: PathFilter | None = None) -> bool:
        """Whether a file at this path would not be indexed, whatever it holds."""
        ignored = self._ignored.get(path)
        if ignored is None:
            path_filter = path_filter or self._scanner.path_filter()
            ignored = self._ignored[path] = not is_inside(self._scanner.root, path) or path_filter.ignores(path)
        return ignored

    def _set_encoder(self, fingerprint: str) -> None:
        view = self._view
        if view.fingerprint == fingerprint:
            return
        buffers = {
            path: replace(
                buffer, rows=tuple(replace(row, vector=None) for row in buffer.rows), waiting=len(buffer.rows)
            )
            for path, buffer in view.buffers.items()
        }
        rows = {row.id: row for buffer in buffers.values() for row in buffer.rows}
        self._spare, self._index = {}, None
        self._view = BuffersSnapshot(buffers, rows, view.corpus, None, fingerprint)

    def _update(self, store: Store, encoder: Encoder | None, path: str, text: str | None) -> int:
        if encoder is not None:
            self._set_encoder(encoder.fingerprint)
        self._ignored_texts.pop(path, None)
        if text is not None and self._is_ignored(path):
            self._ignored_texts[path], text = text, None
        before = self._view.buffers.get(path)
        if text is None:
            if before is not None:
                self._show(path, None, _RowChanges(gone=list(before.rows)))
            return 0
        if before is not None and before.text == text and (before.embedded or encoder is None):
            return 0
        change, rows, chunked = self._rows(path, text, before)
        embedded_rows, count = self._embedded(store, encoder, rows, change)
        self._show(path, Buffer.of(text, chunked.language, embedded_rows, chunked.structure), change)
        return count

    def buffer_vectors(self, fingerprint: str) -> dict[bytes, Vector]:
        """Vectors of this encoder that buffers brought, by the hash of their passage: a save embeds nothing if_unchanged."""
        with self._updating:
            if self._view.fingerprint != fingerprint:
                return {}
            shown = {row.hash: row.vector for row in self._view.rows.values() if row.vector is not None}
            return self._spare | shown

    def snapshot(self, store: Store) -> OverlaidRows:
        """The store of this moment with the buffers of this moment in place of their files."""
        view, words = self._view, store.full_text.bm25_snapshot()
        revision = store.revision if words is None else words.revision
        stored = self._stored
        paths = view.buffers.keys()
        if (
            stored is None
            or (stored.store, stored.revision, stored.words) != (store, revision, words)
            or stored.paths != paths
        ):
            hidden = self._hidden_by(store, revision, paths)
            stored = self._stored = StoreSnapshot(store, revision, words, frozenset(paths), hidden)
        seen = self._seen
        if seen is None or seen.stored is not stored or seen.view is not view:
            seen = self._seen = OverlaidRows(stored, view)
        return seen

    def _hidden_by(self, store: Store, revision: int, paths: Iterable[str]) -> Ids:
        """The stored rows of the files that are open; a file is asked for once between two changes of the store."""
        at, known = self._hidden
        if at != (store, revision):
            known = {}
            self._hidden = ((store, revision), known)
        for path in paths:
            if path not in known:
                known[path] = store.chunks.ids_in_file(path)
        parts = [known[path] for path in paths]
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    def _rows(self, path: str, text: str, before: Buffer | None) -> tuple[_RowChanges, list[BufferChunk], _ChunkedText]:
        """The rows of a text, and how it was cut: those rows of chunks that read the same stay, wherever they moved."""
        same: dict[tuple[bytes, str, str], deque[BufferChunk]] = defaultdict(deque)
        for row in before.rows if before else ():
            same[row.key].append(row)
        change, rows = _RowChanges(), list[BufferChunk]()
        chunked = self._last
        if chunked is None or (chunked.path, chunked.text) != (path, text):
            chunked = self._last = self._chunk(path, text)
        for chunk, name in chunked.chunks:
            twins = same.get((name, chunk.symbol, chunk.scope))
            if twins:
                rows.append(replace(twins.popleft(), chunk=chunk))
            else:
                rows.append(BufferChunk(self._next_id, chunk, name))
                change.came.append(rows[-1])
                self._next_id += 1
        change.gone = [row for twins in same.values() for row in twins]
        return change, rows, chunked

    def _chunk(self, path: str, text: str) -> _ChunkedText:
        scanner = self._scanner
        if skip_reason(path, text, limit=scanner.max_bytes, is_reincluded=scanner.reincludes) is not None:
            return _ChunkedText(path, text, ())
        from retrieval.chunking import language_of
        from retrieval.indexing import shared_worker  # and all that parses: not needed before the first buffer

        neighbors = FolderNeighbors(scanner.root, scanner.path_filter().ignores)
        text_alone = text.removeprefix("\ufeff")
        language = language_of(path, text_alone, lambda: neighbors.endings(path))
        chunks, structure = shared_worker.chunked_buffer(path, text_alone, language)
        hashed = tuple((chunk, passage_hash(passage(chunk))) for chunk in chunks)
        return _ChunkedText(path, text, hashed, language, structure)

    def _embedded(
        self, store: Store, encoder: Encoder | None, rows: Sequence[BufferChunk], change: _RowChanges
    ) -> tuple[tuple[BufferChunk, ...], int]:
        """The rows with their vectors, and how many went through the encoder. Vectors are rounded as in the store."""
        missing = {row.hash: row.chunk for row in rows if row.vector is None}
        if encoder is None or not missing:
            return tuple(rows), 0
        known: dict[bytes, Vector] = {row.hash: row.vector for row in (*rows, *change.gone) if row.vector is not None}
        known |= {name: self._spare[name] for name in missing if name in self._spare}
        unknown = [name for name in missing if name not in known]
        if unknown:
            known |= store.vectors.of_passages(encoder.fingerprint, unknown)
        new = [name for name in unknown if name not in known]
        if new:
            made = encoder.encode_passages([passage(missing[name]) for name in new])
            known |= dict(zip(new, made.astype(np.float16).astype(np.float32), strict=True))
        return tuple(row if row.vector is not None else replace(row, vector=known[row.hash]) for row in rows), len(new)

    def _show(self, path: str, buffer: Buffer | None, change: _RowChanges) -> None:
        """Publish the view in which this buffer is as it is now."""
        view = self._view
        buffers, rows = dict(view.buffers), dict(view.rows)
        before = {row.id for row in buffers[path].rows if row.vector is not None} if path in buffers else set()
        buffers.pop(path, None)
        for row in change.gone:
            del rows[row.id]
            if row.vector is not None:
                self._spare.pop(row.hash, None)
                self._spare[row.hash] = row.vector
        self._bm25.remove([row.id for row in change.gone])
        for row in change.came:
            self._bm25.add(row.id, _words(row.chunk))
        shown: tuple[BufferChunk, ...] = ()
        if buffer is not None:
            buffers[path], shown = buffer, buffer.rows
            rows |= {row.id: row for row in shown}
        index = self._vectors_of(change.gone, [row for row in shown if row.vector is not None and row.id not in before])
        while len(self._spare) > REMEMBERED:
            del self._spare[next(iter(self._spare))]
        self._view = BuffersSnapshot(buffers, rows, self._bm25.snapshot(), index, view.fingerprint)

    def _vectors_of(self, gone: Sequence[BufferChunk], came: Sequence[BufferChunk]) -> ExactIndex | None:
        """The vectors of all buffers, with those of some rows taken out and of others put in."""
        if self._index is None:
            if not came:
                return None
            assert came[0].vector is not None
            self._index = ExactIndex(len(came[0].vector))
        self._index.remove(np.array([row.id for row in gone], dtype=np.int64))
        if came:
            ids = np.array([row.id for row in came], dtype=np.int64)
            self._index.add(ids, np.stack([row.vector for row in came if row.vector is not None]))
        return self._index.pinned()


def _words(chunk: Chunk) -> tuple[str, str, str]:
    """As the store splits them."""
    path = f"{chunk.path} {chunk.scope}"
    return split_identifiers(chunk.symbol), split_identifiers(path), split_identifiers(chunk.text)
