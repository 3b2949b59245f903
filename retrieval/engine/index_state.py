"""How an index stands: what is counted, what is pending, and how current an answer is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.encoders import Encoder
from retrieval.indexing import INDEXED_KEY, SKIPPED_KEY, VectorIndexSync, writer_pid
from retrieval.store import Store
from retrieval.types import Freshness


@dataclass(frozen=True, slots=True)
class Status:
    """What is indexed, and how well."""

    root: Path
    folder: Path  # where the index is
    files: int
    chunks: int
    languages: dict[str, int]  # chunks by language, most first
    skipped: dict[str, int]  # files by reason
    encoder: str
    fingerprint: str
    pending_chunks: int  # without a vector of that encoder
    index_kind: str  # "exact", "hnsw", "" before the first use
    revision: int
    indexed_at: float | None  # unix time of the last run that changed something
    index_bytes: int
    vectors_bytes: int  # shared by all workspaces
    graph_bytes: int
    writer_pid: int  # of the process that is indexing now, 0 for none
    read_only: bool
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Counted:
    """What a freshness says, remembered until the next revision."""

    revision: int = -1
    files: int = 0
    chunks: int = 0
    pending: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class IndexState:
    """What this process knows beside what is stored."""

    scanned: bool = False  # whether this process has compared the index with the disk
    scanning: bool = False  # whether it is just doing so
    writing: bool = False  # whether it is writing
    delegated: bool = False  # whether a subprocess is writing
    unfinished_files: int = 0  # of the present run, or of the last one that was cut short: not stored
    pending: tuple[int, bool] = (0, False)  # changed files that wait to be indexed, and whether there may be others
    _counted: _Counted = field(default_factory=_Counted)

    def reset(self) -> None:
        """The index is a new one, and has to be filled."""
        self._counted, self.scanned = _Counted(), False

    def freshness(self, store: Store, fingerprint: str, live: VectorIndexSync | None) -> Freshness:
        counted, (pending, more) = self._count(store), self.pending
        pending_files = self.unfinished_files + pending
        behind = live is not None and live.behind
        return Freshness(
            files=counted.files,
            chunks=counted.chunks,
            pending_files=pending_files,
            pending_chunks=self._pending_chunks(store, fingerprint, live),
            stale=not self.scanned or self.scanning or self.delegated or more or pending_files > 0 or behind,
        )

    def status(
        self, root: Path, store: Store, encoder: Encoder | None, live: VectorIndexSync | None, notes: Sequence[str]
    ) -> Status:
        counts = store.counts()
        fingerprint = encoder.fingerprint if encoder is not None else ""
        seen = json.loads(str(store.meta.get(SKIPPED_KEY) or "{}"))
        skipped = {**seen, **{why: count + seen.get(why, 0) for why, count in counts.skipped.items()}}
        indexed_at = store.meta.get(INDEXED_KEY)
        return Status(
            root=root,
            folder=store.directory,
            files=counts.files,
            chunks=counts.chunks,
            languages=counts.languages,
            skipped=dict(sorted(skipped.items(), key=lambda item: (-item[1], item[0]))),
            encoder=encoder.name if encoder is not None else "",
            fingerprint=fingerprint,
            pending_chunks=self._pending_chunks(store, fingerprint, live),
            index_kind=live.kind if live is not None else "",
            revision=store.revision,
            indexed_at=float(indexed_at) if indexed_at is not None else None,
            index_bytes=sum(_size(store.directory / f"index.db{end}") for end in ("", "-wal")),
            vectors_bytes=sum(_size(Path(f"{store.vectors_path}{end}")) for end in ("", "-wal")),
            graph_bytes=_size(live.path) if live is not None else 0,
            writer_pid=writer_pid(store.directory),
            read_only=store.read_only,
            notes=tuple(dict.fromkeys((*notes, *(live.notes if live is not None else ())))),
        )

    def _pending_chunks(self, store: Store, fingerprint: str, live: VectorIndexSync | None) -> int:
        """While it is being written the live index knows: asking the store takes 50 ms at 50,000 chunks."""
        counted = self._count(store)
        if (self.writing or self.delegated) and live is not None and live.count is not None:
            return max(0, counted.chunks - live.count)
        if fingerprint not in counted.pending:
            counted.pending[fingerprint] = store.vectors.pending_count(fingerprint) if fingerprint else counted.chunks
        return counted.pending[fingerprint]

    def _count(self, store: Store) -> _Counted:
        revision = store.revision
        if self._counted.revision != revision:
            self._counted = _Counted(revision, store.files.count(), store.chunks.count())
        return self._counted


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
