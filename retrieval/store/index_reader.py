"""Everything that search and status ask of the store. Nothing here writes, and nothing waits for the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.globs import Globs
from retrieval.store.chunk_boundaries import find_borders
from retrieval.store.database import Database
from retrieval.store.rows import Counts, FileRow, Header
from retrieval.store.top_k import Place
from retrieval.types import Chunk, Filters

Ids = NDArray[np.int64]

# Joins are written as CROSS JOIN, which keeps SQLite from reordering them: without statistics it would rather walk all
# of a user's vectors than look up the few that are asked for (10 s instead of a millisecond).
_CHUNK = "f.path, c.language, c.kind, c.symbol, c.scope, c.start_line, c.end_line, c.start_byte, c.end_byte, c.text"
_HEADER = "f.path, c.language, c.kind, c.symbol, c.start_line, c.end_line, c.start_byte"
# Headers at hand: 8 MB.
_HEADERS = 20_000
# SQLite's default limit of parameters was 999 before 3.32; more in one statement gains nothing.
_PARAMETERS = 900


class Reader:
    """The reading half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: tuple[int, int] = (-1, 0)
        self._headers: tuple[int, dict[int, Header]] = (-1, {})

    @property
    def change(self) -> int:
        """Goes up by one with every commit that alters content; equal numbers mean equal content."""
        return int(self.get_meta("change") or 0)

    @property
    def generation(self) -> str:
        """Names this very index file; chunk ids of another generation mean other chunks."""
        return str(self.get_meta("generation"))

    def get_meta(self, key: str) -> str | int | None:
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM main.meta WHERE key = ?", (key,)).fetchone()
        value: str | int | None = row[0] if row else None
        return value

    # -- chunks -----------------------------------------------------------------------------------------------------

    def chunk_count(self) -> int:
        """Counted once for each change: counting takes a millisecond at 50,000 chunks, and every query asks."""
        change = self.change
        if self._counted[0] != change:
            with self._database.reading() as db:
                self._counted = (change, int(db.execute("SELECT count(*) FROM main.chunks").fetchone()[0]))
        return self._counted[1]

    def last_id(self) -> int:
        """The highest chunk id ever given; every chunk that comes later has a higher one."""
        with self._database.reading() as db:
            row = db.execute("SELECT seq FROM main.sqlite_sequence WHERE name = 'chunks'").fetchone()
        return int(row[0]) if row else 0

    def chunks(self, ids: Sequence[int]) -> dict[int, Chunk]:
        """The chunks of these ids, in the order asked for; those that are gone are left out."""
        sql = f"SELECT c.id, {_CHUNK} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}})"
        found = {row[0]: Chunk(*row[1:]) for row in self._many(sql, ids)}
        return {i: found[i] for i in ids if i in found}

    def headers(self, ids: Sequence[int]) -> dict[int, Header]:
        """What ranking needs of these chunks, where they are there. Those asked for lately are at hand: while somebody
        types a query, most candidates are those of a letter before.
        """
        at, known = self._headers
        change = self.change
        if at != change or len(known) > _HEADERS:
            known = {}
            self._headers = (change, known)
        sql = f"SELECT c.id, {_HEADER} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}})"
        missing = [i for i in ids if i not in known]
        known.update((row[0], Header._make(row[1:])) for row in self._many(sql, missing))
        return {i: known[i] for i in ids if i in known}

    def by_symbol(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Chunks that define one of these names, in any case, with the name as it is written there."""
        wanted = [name for name in dict.fromkeys(names) if name]
        # "symbol <> ''" is what lets SQLite use the partial index.
        sql = "SELECT id, symbol FROM main.chunks WHERE symbol <> '' AND symbol COLLATE NOCASE IN ({}) ORDER BY id"
        return [(row[0], row[1]) for row in self._many(sql, wanted)]

    def file_chunks(self, path: str) -> list[tuple[int, Chunk]]:
        """A file's chunks in line order."""
        sql = f"""SELECT c.id, {_CHUNK} FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id WHERE f.path = ?
                  ORDER BY c.start_byte, c.end_byte, c.id"""
        with self._database.reading() as db:
            return [(row[0], Chunk(*row[1:])) for row in db.execute(sql, (path,))]

    def places(self, ids: Sequence[int]) -> dict[int, Place]:
        """Where these chunks stand: what equals are ordered by."""
        sql = """SELECT c.id, f.path, c.start_byte, c.end_byte FROM main.chunks c CROSS JOIN main.files f
                 ON f.id = c.file WHERE c.id IN ({})"""
        return {row[0]: row[1:] for row in self._many(sql, ids)}

    def ids_in_file(self, path: str) -> Ids:
        """The ids of a file's chunks, ascending; reads an index and no chunk."""
        sql = "SELECT c.id FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id WHERE f.path = ? ORDER BY c.id"
        with self._database.reading() as db:
            return _ids(db.execute(sql, (path,)))

    def ids(self) -> Ids:
        """All chunk ids, ascending."""
        with self._database.reading() as db:
            return _ids(db.execute("SELECT id FROM main.chunks ORDER BY id"))

    def allowed(self, filters: Filters) -> Ids | None:
        """The sorted ids of the chunks that pass, None where nothing is limited."""
        if not filters:
            return None
        clauses, values = [], []
        for column, wanted in (("language", filters.languages), ("kind", filters.kinds)):
            if wanted:
                clauses.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values += [value.lower() for value in wanted]
        if filters.paths:
            clauses.append("file IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self._files_matching(filters.paths)))
        sql = f"SELECT id FROM main.chunks WHERE {' AND '.join(clauses)} ORDER BY id"
        with self._database.reading() as db:
            return _ids(db.execute(sql, values))

    def _files_matching(self, globs: Sequence[str]) -> list[int]:
        """Ids of the files whose path the globs let through."""
        wanted = Globs(globs)
        with self._database.reading() as db:
            files = db.execute("SELECT id, path FROM main.files WHERE skip IS NULL").fetchall()
        return [i for i, path in files if wanted.match(path)]

    # -- files ------------------------------------------------------------------------------------------------------

    def files(self) -> dict[str, FileRow]:
        """Every file seen, with its stamp."""
        sql = "SELECT path, size, mtime_ns, inode, digest, language, skip, note FROM main.files"
        with self._database.reading() as db:
            return {row[0]: FileRow(*row) for row in db.execute(sql)}

    def stamps(self) -> list[tuple[str, int, int, int]]:
        """Path, size, mtime_ns and inode of every file seen: what a scan compares with, 4 ms for 5,000 files."""
        with self._database.reading() as db:
            return db.execute("SELECT path, size, mtime_ns, inode FROM main.files").fetchall()

    def file(self, path: str) -> FileRow | None:
        sql = "SELECT path, size, mtime_ns, inode, digest, language, skip, note FROM main.files WHERE path = ?"
        with self._database.reading() as db:
            row = db.execute(sql, (path,)).fetchone()
        return FileRow(*row) if row else None

    def skipped(self) -> dict[str, str]:
        """Files that were left out after a look at them, or indexed without being parsed, by path, with the reason."""
        with self._database.reading() as db:
            return dict(
                db.execute("SELECT path, coalesce(skip, note) FROM main.files WHERE skip IS NOT NULL OR note <> ''")
            )

    def borders(self, path: str, digest: bytes) -> bytes | None:
        """How this file was cut when it had this content, where that is remembered."""
        with self._database.reading() as db:
            return find_borders(db, path, digest)

    def file_count(self) -> int:
        """Files that are indexed."""
        with self._database.reading() as db:
            return int(db.execute("SELECT count(*) FROM main.files WHERE skip IS NULL").fetchone()[0])

    def counts(self) -> Counts:
        with self._database.reading() as db:
            languages = db.execute(
                "SELECT language, count(*) n FROM main.chunks GROUP BY 1 ORDER BY n DESC, 1"
            ).fetchall()
            skipped = db.execute(
                """SELECT coalesce(skip, note), count(*) n FROM main.files WHERE skip IS NOT NULL OR note <> ''
                   GROUP BY 1 ORDER BY n DESC, 1"""
            ).fetchall()
        return Counts(self.file_count(), self.chunk_count(), dict(languages), dict(skipped))

    def _many(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows of a statement with one IN list, which is filled in portions."""
        with self._database.reading() as db:
            for start in range(0, len(values), _PARAMETERS):
                some = values[start : start + _PARAMETERS]
                yield from db.execute(sql.format(",".join("?" * len(some))), tuple(some)).fetchall()


def _ids(rows: Iterable[tuple[int]] | sqlite3.Cursor) -> Ids:
    return np.fromiter((row[0] for row in rows), dtype=np.int64)
