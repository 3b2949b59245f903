"""The chunks of the index: by id, symbol, file and filter."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import numpy as np

from retrieval.errors import DamagedStoreError
from retrieval.globs import PathMatcher
from retrieval.store.database import Database
from retrieval.store.meta import Meta
from retrieval.store.queries import CHUNK_COLUMNS, Ids, chunk_of, ids_of, select_ids, select_many
from retrieval.store.rows import ChunkText, Header, Pending
from retrieval.store.top_k import SortKey
from retrieval.text_pattern import TextPattern
from retrieval.types import LAST_LINE, Chunk, Filters

_HEADER_COLUMNS = (
    "f.path, c.language, c.kind, c.symbol, c.start_line, c.end_line, c.start_byte, c.end_byte, "
    "coalesce((SELECT group_concat(name, char(10)) FROM symbols s WHERE s.chunk = c.id), '')"
)
# Cached headers: 8 MB.
_HEADERS = 20_000
_TEXT_COLUMNS = "f.path, c.language, c.symbol, c.scope, c.start_line, c.text"
# Characters of cached texts: some 5,000 chunks, the candidates of 30 queries.
_TEXT_CHARS = 4_000_000
# Cached ids of filters: 8 MB, twenty filters that most of 50,000 chunks pass.
_ALLOWED_IDS = 1_000_000


class Chunks:
    """Reads the table of chunks. Nothing waits for the writer."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database, self._meta = database, meta
        self._counted: tuple[int, int] = (-1, 0)  # at a revision, how many
        self._headers: tuple[int, dict[int, Header]] = (-1, {})
        self._sizes: tuple[int, dict[str, int]] = (-1, {})
        self._texts: tuple[int, dict[int, ChunkText], int] = (-1, {}, 0)  # and their characters
        self._allowed: tuple[int, dict[Filters, Ids]] = (-1, {})
        self._rows_checked = -1  # the revision at which rows were missing and looked for

    def count(self) -> int:
        """Counted once for each revision: counting takes a millisecond at 50,000 chunks, and every query asks."""
        revision = self._meta.revision
        if self._counted[0] != revision:
            with self._database.reading() as db:
                self._counted = (revision, int(db.execute("SELECT count(*) FROM main.chunks").fetchone()[0]))
        return self._counted[1]

    def last_id(self) -> int:
        """The highest chunk id ever assigned; every later chunk has a higher one."""
        with self._database.reading() as db:
            row = db.execute("SELECT seq FROM main.sqlite_sequence WHERE name = 'chunks'").fetchone()
        return int(row[0]) if row else 0

    def get(self, ids: Sequence[int]) -> dict[int, Chunk]:
        """The chunks of these ids, in the given order; deleted ones are left out."""
        sql = f"SELECT c.id, {CHUNK_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}})"
        chunks = {row[0]: chunk_of(row[1:]) for row in select_many(self._database, sql, ids)}
        return {i: chunks[i] for i in ids if i in chunks}

    def headers(self, ids: Sequence[int], revision: int) -> dict[int, Header]:
        """What ranking needs of these chunks; deleted ones are left out. Recent ones are cached: while somebody types a query,
        most candidates are those of the keystroke before. `revision` is that of the query: one that was
        overtaken is asked again.
        """
        if self._headers[0] != revision or len(self._headers[1]) > _HEADERS:
            self._headers = (revision, {})
        headers = self._headers[1]
        sql = f"SELECT c.id, {_HEADER_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}})"
        missing = [i for i in ids if i not in headers]
        headers.update((row[0], Header._make(row[1:])) for row in select_many(self._database, sql, missing))
        if missing and any(i not in headers for i in missing):
            self._check_rows(revision)
        return {i: headers[i] for i in ids if i in headers}

    def texts(self, ids: Sequence[int], revision: int) -> dict[int, ChunkText]:
        """The texts of these chunks; deleted ones are left out. Recent ones are cached: a query looks at those of its
        candidates several times, and the next keystroke at most of them again.
        """
        texts, size = self._texts[1:]
        if self._texts[0] != revision or size > _TEXT_CHARS:
            texts, size = {}, 0
        sql = f"SELECT c.id, {_TEXT_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file WHERE c.id IN ({{}})"
        new = {
            row[0]: ChunkText._make(row[1:])
            for row in select_many(self._database, sql, [i for i in ids if i not in texts])
        }
        texts.update(new)
        self._texts = (revision, texts, size + sum(len(each.text) for each in new.values()))
        return {i: texts[i] for i in ids if i in texts}

    def count_in_files(self, paths: Collection[str], revision: int) -> dict[str, int]:
        """How many chunks these files have. Counted once for each revision; of files that are gone nothing is said."""
        if self._sizes[0] != revision:
            self._sizes = (revision, {})
        sizes = self._sizes[1]
        sql = """SELECT f.path, count(*) FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id
                 WHERE f.path IN ({}) GROUP BY f.id"""
        sizes.update(select_many(self._database, sql, [path for path in paths if path not in sizes]))
        return {path: sizes[path] for path in paths if path in sizes}

    def _check_rows(self, revision: int) -> None:
        """Raise DamagedStoreError where rows are gone that an index of the table still has. Whoever asks for rows that were
        deleted meanwhile comes here too, so it is looked at once for each revision.
        """
        if self._rows_checked == revision:
            return
        self._rows_checked = revision
        sql = "SELECT count(*) FROM main.chunks c NOT INDEXED CROSS JOIN main.files f ON f.id = c.file"
        with self._database.reading() as db:
            rows = db.execute(sql).fetchone()[0]
        if rows < self.count() and self._meta.revision == revision:
            raise DamagedStoreError(
                f"The index in {self._database.directory} lacks rows that were stored: it is checked."
            )

    def by_symbol(self, names: Sequence[str]) -> list[tuple[int, str]]:
        """Chunks that define one of these names, in any case, with the name as it is written there; a chunk that defines
        several forms of a name comes once with each.
        """
        symbols = [name for name in dict.fromkeys(names) if name]
        # "symbol <> ''" is what lets SQLite use the partial index.
        own = "SELECT id, symbol FROM main.chunks WHERE symbol <> '' AND symbol COLLATE NOCASE IN ({})"
        others = "SELECT chunk, name FROM symbols WHERE name COLLATE NOCASE IN ({})"
        found = {(row[0], row[1]) for sql in (own, others) for row in select_many(self._database, sql, symbols)}
        return sorted(found)

    def in_file(self, path: str, first_line: int = 1, last_line: int = LAST_LINE) -> list[tuple[int, Chunk]]:
        """A file's chunks that have one of these lines, in line order."""
        sql = f"""SELECT c.id, {CHUNK_COLUMNS} FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id
                  WHERE f.path = ? AND c.start_line <= ? AND c.end_line >= ? ORDER BY c.start_byte, c.end_byte, c.id"""
        with self._database.reading() as db:
            return [(row[0], chunk_of(row[1:])) for row in db.execute(sql, (path, last_line, first_line))]

    def between(self, path: str, first_line: int, last_line: int) -> list[ChunkText]:
        """The texts of a file's chunks that have one of these lines, in line order."""
        sql = f"""SELECT {_TEXT_COLUMNS} FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id
                  WHERE f.path = ? AND c.start_line <= ? AND c.end_line >= ? ORDER BY c.start_byte, c.end_byte, c.id"""
        with self._database.reading() as db:
            return [ChunkText._make(row) for row in db.execute(sql, (path, last_line, first_line))]

    def with_passages(self, after: int, limit: int) -> list[Pending]:
        """The first chunks in order of id, beyond `after`, each with the stored hash of its passage."""
        sql = f"""SELECT c.id, c.passage, {CHUNK_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file
                  WHERE c.id > ? ORDER BY c.id LIMIT ?"""
        with self._database.reading() as db:
            return [Pending(row[0], row[1], chunk_of(row[2:])) for row in db.execute(sql, (after, limit))]

    def sort_keys(self, ids: Sequence[int]) -> dict[int, SortKey]:
        """The locations of these chunks, by which ties are broken."""
        sql = """SELECT c.id, f.path, c.start_byte, c.end_byte FROM main.chunks c CROSS JOIN main.files f
                 ON f.id = c.file WHERE c.id IN ({})"""
        return {row[0]: row[1:] for row in select_many(self._database, sql, ids)}

    def ids_in_file(self, path: str) -> Ids:
        """The ids of a file's chunks, ascending; reads an index and no chunk."""
        sql = "SELECT c.id FROM main.files f CROSS JOIN main.chunks c ON c.file = f.id WHERE f.path = ? ORDER BY c.id"
        with self._database.reading() as db:
            return ids_of(db.execute(sql, (path,)))

    def ids(self) -> Ids:
        """All chunk ids, ascending."""
        with self._database.reading() as db:
            return select_ids(db, "SELECT id FROM main.chunks")

    def allowed(self, filters: Filters) -> Ids | None:
        """The sorted ids of the chunks that pass the filters, None without filters. Those of the last few filters are cached:
        they stay while somebody types.
        """
        if not filters:
            return None
        revision, known = self._meta.revision, self._allowed
        if known[0] == revision and filters in known[1]:
            return known[1][filters]
        ids = self._select_allowed(filters)
        ids.setflags(write=False)
        kept = dict(known[1]) if known[0] == revision else {}
        while kept and sum(map(len, kept.values())) + len(ids) > _ALLOWED_IDS:
            kept.pop(next(iter(kept)))
        self._allowed = (revision, kept | {filters: ids})
        return ids

    def _select_allowed(self, filters: Filters) -> Ids:
        clauses: list[str] = []
        values: list[str] = []
        if filters.languages:
            languages, files = _marks(filters.languages), _marks(filters.whole_files)
            clauses.append(
                f"(language IN ({languages}) OR file IN (SELECT id FROM main.files WHERE language IN ({files})))"
            )
            values += map(str.lower, filters.languages + filters.whole_files)
        if filters.no_files:
            files = _marks(filters.no_files)
            clauses.append(f"file NOT IN (SELECT id FROM main.files WHERE language IN ({files}))")
            values += filters.no_files
        if filters.kinds:
            kinds = _marks(filters.kinds)
            clauses.append(f"(kind IN ({kinds}) OR id IN (SELECT chunk FROM symbols WHERE kind IN ({kinds})))")
            values += map(str.lower, filters.kinds * 2)
        if filters.limits_paths:
            clauses.append("file IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self._files_matching(filters)))
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        with self._database.reading() as db:
            if not filters.grep:
                return select_ids(db, f"SELECT id FROM main.chunks {where}", values)
            texts = db.execute(f"SELECT id, CAST(text AS BLOB) FROM main.chunks {where} ORDER BY id", values)
            return np.fromiter(TextPattern(filters.grep).keep(texts), np.int64)

    def language_counts(self) -> dict[str, int]:
        """Chunks by language, most first."""
        sql = "SELECT language, count(*) n FROM main.chunks GROUP BY 1 ORDER BY n DESC, 1"
        with self._database.reading() as db:
            return dict(db.execute(sql).fetchall())

    def _files_matching(self, filters: Filters) -> list[int]:
        """Ids of the files whose path passes the filters."""
        matcher = PathMatcher(filters)
        with self._database.reading() as db:
            files = db.execute("SELECT id, path FROM main.files WHERE skip IS NULL").fetchall()
        return [i for i, path in files if matcher.match(path)]


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
