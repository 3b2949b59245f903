"""Compares the index with itself and with the disk at a quiet moment, about once a day.

Queries and scans notice most damage as they meet it. What they cannot notice is looked for here:

- pages of a database that were lost or changed places, by SQLite's complete check;
- rows that are not what was stored, by the hash of each chunk's passage and by the cached boundaries of each file's chunks, a
  second copy of lines, kinds and names; and vectors that are none;
- files that were edited so that size and times are as before, by their content. Where the system tells when a file changed in
  any way (ctime), only somebody who sets the clock can do that; Windows does not tell, so there it is looked for each hour.

All of it can be cancelled at any moment; the files are gone on with from where that was.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from retrieval.chunking import passage
from retrieval.engine.context import EngineContext
from retrieval.engine.index_writer import IndexWriter
from retrieval.errors import DamagedStoreError, StoreIOError
from retrieval.files import MOST_BYTES, digest_of_file
from retrieval.indexing import CHUNKING_KEY, TEXT_VERSION, Cancel, NullCancel
from retrieval.store import Store, passage_hash

DAY = 86_400
HOUR = 3_600
HAS_CTIME = os.name != "nt"
PAGES_KEY, FILES_KEY = "pages_checked_at", "files_compared_at"
_ROWS = 200  # chunks that are compared between two looks at whether to go on
_FILES = 50  # changed files that are indexed at a time


class Verifier:
    """One for each workspace; `run` is called by whoever keeps it current, at quiet moments."""

    def __init__(self, context: EngineContext, writer: IndexWriter) -> None:
        self._context, self._writer = context, writer
        self._compared = ""  # the last file that an interrupted run has compared

    def run(self, cancel: Cancel | None = None) -> None:
        """Do what is due. What is found is repaired: damage as a query would, files by indexing them. Raises StoreError."""
        stop = cancel or NullCancel()
        if self._context.store.read_only:
            return
        if self._is_due(PAGES_KEY, DAY):
            self._check_store(stop)
        if not stop.is_set() and self._is_due(FILES_KEY, DAY if HAS_CTIME else HOUR):
            self._compare_files(stop)

    def _is_due(self, key: str, period: int) -> bool:
        """Whether so long has passed; a new index is not looked at at once."""
        now, last = int(time.time()), self._context.store.meta.get(key)
        if last is None:
            self._context.store.meta.set(**{key: now})
        return last is not None and not 0 <= now - int(last) < period

    def _check_store(self, stop: Cancel) -> None:
        store = self._context.store
        try:
            whole = (
                store.check_pages(stop.is_set)
                and self._compare_passages(store, stop)
                and self._compare_boundaries(store, stop)
            )
        except (DamagedStoreError, StoreIOError):  # what cannot be read now may be lost for good: a repair tells
            self._writer.repair(store)
            self._writer.refresh(None, stop)
            return
        if whole:
            if store.vectors.remove_broken(self._context.encoder.fingerprint):
                store.announce()
                self._writer.refresh(None, stop)
            store.meta.set(**{PAGES_KEY: int(time.time())})

    def _compare_passages(self, store: Store, stop: Cancel) -> bool:
        """Whether all chunks were looked at. Raises DamagedStoreError for one that is not what was stored."""
        if store.meta.get(CHUNKING_KEY) != TEXT_VERSION:
            return True  # another version has stored them
        after = 0
        while rows := store.chunks.with_passages(after, _ROWS):
            for row in rows:
                if passage_hash(passage(row.chunk)) != row.passage:
                    store.condemn(f"the text of {row.chunk.path} is not what was stored")
                    raise DamagedStoreError(f"The index in {store.directory} holds text that was not stored.")
            after = rows[-1].id
            if stop.is_set():
                return False
        return True

    def _compare_boundaries(self, store: Store, stop: Cancel) -> bool:
        """Whether all files were looked at. Raises DamagedStoreError for one whose rows are not what was stored."""
        if store.meta.get(CHUNKING_KEY) != TEXT_VERSION:
            return True  # another version has stored them
        for path in store.files.all():
            if stop.is_set():
                return False
            if not _has_its_rows(store, path):
                store.condemn(f"the rows of {path} are not what was stored")
                raise DamagedStoreError(f"The index in {store.directory} holds rows that were not stored.")
        return True

    def _compare_files(self, stop: Cancel) -> None:
        store, changed = self._context.store, list[str]()
        for path, row in sorted(store.files.all().items()):
            if path <= self._compared:
                continue
            digest = digest_of_file(self._context.root, path, limit=MOST_BYTES)
            if row.digest and digest is not None and digest != row.digest:
                changed.append(path)
            if len(changed) >= _FILES:
                self._writer.changed(changed)
                changed = []
            self._compared = path
            if stop.is_set():
                break
        if changed:
            self._writer.changed(changed)
        if not stop.is_set():
            self._compared = ""
            store.meta.set(**{FILES_KEY: int(time.time())})


def _has_its_rows(store: Store, path: str) -> bool:
    """Whether the rows of a file are those of its boundaries, as far as these are cached."""
    from retrieval.chunking import boundaries  # and all that chunks, which a start must not import

    while True:
        revision = store.meta.revision
        file = store.files.get(path)
        cached = store.files.boundaries(path, file.digest) if file is not None and file.skip is None else None
        if cached is None or not boundaries.is_current(cached[0]):
            return True
        expected = [replace(chunk, text="") for chunk in boundaries.unpack(path, "", cached[0])]
        is_structure = not cached[1] or cached[1] == store.structures.of_file(path)
        if is_structure and expected == [replace(chunk, text="") for _, chunk in store.chunks.in_file(path)]:
            return True
        if store.meta.revision == revision:  # nobody has written meanwhile
            return False
