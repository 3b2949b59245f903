"""What files define, call and import, as rows. The format of the data is the caller's business (chunking/structure/packed.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from retrieval.store.database import Database
from retrieval.store.queries import select_many
from retrieval.store.rows import PackedStructure


class NameInFile(NamedTuple):
    """A name in a file: how often it is defined there, and where it is defined and used."""

    path: str
    language: str
    defines: int
    data: str


class Structures:
    """Reads the tables of structures and names. Nothing waits for the writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def named(self, name: str, limit: int) -> list[NameInFile]:
        """The files that define or use a name: those that define it first, at most `limit`."""
        sql = """SELECT f.path, f.language, n.defines, n.data FROM names n CROSS JOIN main.files f ON f.id = n.file
                 WHERE n.name = ? ORDER BY n.defines = 0, f.path LIMIT ?"""
        with self._database.reading() as db:
            return [NameInFile._make(row) for row in db.execute(sql, (name, limit))]

    def defining(self, names: Sequence[str]) -> list[tuple[str, NameInFile]]:
        """The files that define these names."""
        sql = """SELECT n.name, f.path, f.language, n.defines, n.data FROM names n CROSS JOIN main.files f ON f.id = n.file
                 WHERE n.name IN ({}) AND n.defines > 0 ORDER BY n.name, f.path"""
        return [(row[0], NameInFile._make(row[1:])) for row in select_many(self._database, sql, names)]

    def file_counts(self, names: Sequence[str], most: int) -> dict[str, int]:
        """In how many files these names are defined or used, counted up to a number."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM names WHERE name = ? LIMIT ?)"
        with self._database.reading() as db:
            return {name: db.execute(sql, (name, most)).fetchone()[0] for name in names}

    def beginning(self, prefix: str, limit: int) -> list[str]:
        """Names that are defined and begin so, in their order."""
        sql = "SELECT DISTINCT name FROM names WHERE name >= ? AND name < ? AND defines > 0 ORDER BY name LIMIT ?"
        with self._database.reading() as db:
            return [name for (name,) in db.execute(sql, (prefix, prefix + "\U0010ffff", limit))]

    def of_file(self, path: str) -> bytes | None:
        """The structure of an indexed file."""
        sql = "SELECT s.data FROM main.files f CROSS JOIN structures s ON s.file = f.id WHERE f.path = ?"
        with self._database.reading() as db:
            row = db.execute(sql, (path,)).fetchone()
        return bytes(row[0]) if row else None

    def sizes(self, path: str) -> dict[str, int]:
        """How many bytes the structure takes of each file that defines something: of a file, of those in a folder, or of all."""
        sql = "SELECT f.path, length(s.data) FROM main.files f CROSS JOIN structures s ON s.file = f.id"
        where, values = (
            (" WHERE f.path = ? OR (f.path > ? AND f.path < ?)", (path, f"{path}/", f"{path}0")) if path else ("", ())
        )
        with self._database.reading() as db:
            return dict(db.execute(sql + where, values).fetchall())

    def of_files(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The structures of these files."""
        sql = "SELECT f.path, s.data FROM main.files f CROSS JOIN structures s ON s.file = f.id WHERE f.path IN ({})"
        return dict(select_many(self._database, sql, paths))


def put_structure(db: sqlite3.Connection, file: int, structure: PackedStructure | None) -> None:
    """Replace what is known of a file, in the current transaction: only names with other data are written."""
    row = db.execute("SELECT names FROM main.structures WHERE file = ?", (file,)).fetchone()
    names = {name: (defines, data) for name, defines, data in (structure.names if structure else ())}
    before: dict[str, tuple[int, str]] = {}
    if row is not None:
        sql = "SELECT defines, data FROM main.names WHERE name = ? AND file = ?"
        for name in row[0].split("\n") if row[0] else ():
            before[name] = db.execute(sql, (name, file)).fetchone()
        db.executemany(
            "DELETE FROM main.names WHERE name = ? AND file = ?", [(name, file) for name in before if name not in names]
        )
    changed = [(name, file, *values) for name, values in names.items() if before.get(name) != values]
    db.executemany("INSERT OR REPLACE INTO main.names(name, file, defines, data) VALUES (?, ?, ?, ?)", changed)
    if structure is None:
        db.execute("DELETE FROM main.structures WHERE file = ?", (file,))
    else:
        sql = "INSERT OR REPLACE INTO main.structures(file, names, data) VALUES (?, ?, ?)"
        db.execute(sql, (file, "\n".join(names), structure.data))
