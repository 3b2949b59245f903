"""The vectors that all workspaces of a user share: looked up by encoder and passage, whichever workspace made them.

Deleting a workspace, switching a branch or moving to another worktree leaves them alone, so that nothing is embedded
twice; vectors that no workspace refers to any more are deleted only by `prune`.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import DamagedStoreError, StoreError
from retrieval.store.database import Database
from retrieval.store.meta import Meta
from retrieval.store.queries import CHUNK_COLUMNS, Ids, chunk_of, ids_of, select_many
from retrieval.store.rows import Pending
from retrieval.store.schema import new_generation

_COMPLETE = "complete:"

Matrix = NDArray[np.float32]

# half precision: 512 bytes for 256 dimensions; cosines move by less than 0.001, half the memory and half the disk
_STORED = np.dtype("<f2")
# What encoders give is normalized: no number of a vector is beyond 1, but for rounding.
_MIN, _MAX = -1.1, 1.1
# By how much rounding to half precision changes the length of a vector at most.
_ROUNDING = 1e-3


class SharedVectors:
    """vectors.db, joined with this workspace's chunks."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database, self._meta = database, meta

    def database_id(self) -> str:
        """Identifies this vectors.db; another one may lack vectors that this one has."""
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM shared.meta WHERE key = 'generation'").fetchone()
        if row is None:
            raise DamagedStoreError(f"{self._database.vectors_path} lacks rows that were stored: it is checked.")
        return str(row[0])

    def put(self, fingerprint: str, passages: Sequence[bytes], matrix: Matrix, *, name: str = "") -> None:
        """Keep vectors by the hashes of their passages, in one transaction. Those that are there already stay."""
        if len(passages) != len(matrix):
            raise StoreError(f"{len(passages)} passages came with {len(matrix)} vectors.")
        rows = np.ascontiguousarray(matrix, dtype=_STORED)
        now = int(time.time())
        with self._database.writing_vectors() as db:
            encoder = _encoder_id(db, fingerprint, name, matrix.shape[1])
            db.executemany(
                "INSERT OR IGNORE INTO shared.vectors(encoder, passage, made, data) VALUES (?, ?, ?, ?)",
                ((encoder, passage, now, row.tobytes()) for passage, row in zip(passages, rows, strict=True)),
            )

    def get(self, fingerprint: str, ids: Sequence[int] | Ids) -> tuple[Ids, Matrix]:
        """The vectors of these chunks: the ids that have one, ascending, and their rows."""
        encoder = self._encoder(fingerprint)
        if encoder is None:
            return _no_vectors(0)
        unique = np.unique(np.asarray(ids, dtype=np.int64)).tolist()
        sql = f"""SELECT c.id, v.data FROM main.chunks c
                  CROSS JOIN shared.vectors v ON v.encoder = {encoder[0]} AND v.passage = c.passage WHERE c.id IN ({{}})"""
        return _matrix(select_many(self._database, sql, unique), encoder[1])

    def of_passages(self, fingerprint: str, passages: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The stored vectors of these passages, whichever workspace made them."""
        encoder = self._encoder(fingerprint)
        if encoder is None:
            return {}
        sql = f"SELECT passage, data FROM shared.vectors WHERE encoder = {encoder[0]} AND passage IN ({{}})"
        return {
            passage: np.frombuffer(data, _STORED).astype(np.float32)
            for passage, data in select_many(self._database, sql, passages)
        }

    def all(self, fingerprint: str) -> tuple[Ids, Matrix]:
        """Every chunk's vector, ids ascending."""
        encoder = self._encoder(fingerprint)
        if encoder is None:
            return _no_vectors(0)
        sql = """SELECT c.id, v.data FROM main.chunks c
                 CROSS JOIN shared.vectors v ON v.encoder = ? AND v.passage = c.passage"""
        with self._database.reading() as db:
            return _matrix(db.execute(sql, (encoder[0],)), encoder[1])

    def ids(self, fingerprint: str) -> Ids:
        """The ids of the chunks that have a vector, ascending."""
        encoder = self._encoder(fingerprint)
        if encoder is None:
            return np.empty(0, dtype=np.int64)
        sql = "SELECT c.id FROM main.chunks c CROSS JOIN shared.vectors v ON v.encoder = ? AND v.passage = c.passage"
        with self._database.reading() as db:
            return np.sort(ids_of(db.execute(sql, (encoder[0],))))

    def pending_count(self, fingerprint: str, *, after: int = 0) -> int:
        """How many chunks beyond an id lack a vector. Immediate where nothing changed since the last complete state."""
        if self.complete(fingerprint):
            return 0
        encoder = self._encoder(fingerprint)
        # Without a lower bound the index over passages answers; the unary plus keeps SQLite from walking the wide rows.
        bound = "c.id > ?" if after else "+c.id > ?"
        sql = f"""SELECT count(*) FROM main.chunks c WHERE {bound} AND NOT EXISTS (SELECT 1 FROM shared.vectors v
                  WHERE v.encoder = ? AND v.passage = c.passage)"""
        with self._database.reading() as db:
            return int(db.execute(sql, (after, encoder[0] if encoder else -1)).fetchone()[0])

    def pending(self, fingerprint: str, limit: int, *, after: int = 0) -> list[Pending]:
        """The first chunks in order of id, beyond `after`, that lack a vector."""
        encoder = self._encoder(fingerprint)
        sql = f"""SELECT c.id, c.passage, {CHUNK_COLUMNS} FROM main.chunks c CROSS JOIN main.files f ON f.id = c.file
                  WHERE c.id > ? AND NOT EXISTS (SELECT 1 FROM shared.vectors v
                  WHERE v.encoder = ? AND v.passage = c.passage) ORDER BY c.id LIMIT ?"""
        with self._database.reading() as db:
            rows = db.execute(sql, (after, encoder[0] if encoder else -1, limit))
            return [Pending(row[0], row[1], chunk_of(row[2:])) for row in rows]

    def pending_passages(self, fingerprint: str, limit: int, *, after: int = 0) -> list[tuple[int, bytes]]:
        """Ids and passages of the first chunks in order of id, beyond `after`, that lack a vector."""
        encoder = self._encoder(fingerprint)
        sql = """SELECT c.id, c.passage FROM main.chunks c WHERE c.id > ? AND NOT EXISTS (SELECT 1 FROM shared.vectors v
                 WHERE v.encoder = ? AND v.passage = c.passage) ORDER BY c.id LIMIT ?"""
        with self._database.reading() as db:
            return db.execute(sql, (after, encoder[0] if encoder else -1, limit)).fetchall()

    def passages(self, fingerprint: str) -> list[bytes]:
        """The passages of this workspace that have a vector, each once."""
        encoder = self._encoder(fingerprint)
        sql = """SELECT DISTINCT c.passage FROM main.chunks c
                 CROSS JOIN shared.vectors v ON v.encoder = ? AND v.passage = c.passage"""
        with self._database.reading() as db:
            return [passage for (passage,) in db.execute(sql, (encoder[0] if encoder else -1,))]

    def count(self, fingerprint: str, *, after: int) -> int:
        """How many chunks beyond an id have a vector."""
        encoder = self._encoder(fingerprint)
        sql = """SELECT count(*) FROM main.chunks c CROSS JOIN shared.vectors v ON v.encoder = ? AND v.passage = c.passage
                 WHERE c.id > ?"""
        with self._database.reading() as db:
            return int(db.execute(sql, (encoder[0] if encoder else -1, after)).fetchone()[0])

    def note_complete(self, fingerprint: str, name: str) -> None:
        """Record that nothing is pending at this revision, with these vectors."""
        state = f"{self._meta.revision}:{self.database_id()}"
        self._meta.set(**{f"{_COMPLETE}{fingerprint}": state, "encoder": json.dumps([name, fingerprint])})

    def forget_complete(self, fingerprint: str) -> None:
        """Vectors may be missing after all."""
        self._meta.set(**{f"{_COMPLETE}{fingerprint}": None})

    def last_encoder(self) -> tuple[str, str] | None:
        """Name and fingerprint of the encoder whose vectors were complete last."""
        value = self._meta.get("encoder")
        if value is None:
            return None
        name, fingerprint = json.loads(str(value))
        return str(name), str(fingerprint)

    def complete_encoders(self) -> frozenset[str]:
        """The fingerprints recorded as complete."""
        state = f"{self._meta.revision}:{self.database_id()}"
        with self._database.reading() as db:
            rows = db.execute("SELECT key FROM main.meta WHERE key GLOB ? AND value = ?", (_COMPLETE + "*", state))
            return frozenset(key.removeprefix(_COMPLETE) for (key,) in rows)

    def complete(self, fingerprint: str) -> bool:
        """Whether nothing was pending when this was last recorded, and nothing has changed since."""
        return fingerprint in self.complete_encoders()

    def remove_broken(self, fingerprint: str) -> int:
        """Delete what is stored for chunks of this workspace and is no vector of length 1, as all encoders give, so that it is
        made again; how many.
        """
        encoder = self._encoder(fingerprint)
        if encoder is None:
            return 0
        sql = """SELECT v.id, v.data FROM main.chunks c CROSS JOIN shared.vectors v ON v.encoder = ? AND v.passage = c.passage"""
        with self._database.reading() as db:
            norms = {row: _norm(data, encoder[1]) for row, data in db.execute(sql, (encoder[0],))}
        broken = [(row,) for row, norm in norms.items() if not abs(norm - 1.0) <= _ROUNDING]  # NaN is
        if len(broken) > len(norms) / 2:  # an encoder that does not normalize
            broken = [(row,) for row, norm in norms.items() if not np.isfinite(norm)]
        if broken:
            with self._database.writing_vectors() as db:
                db.executemany("DELETE FROM shared.vectors WHERE id = ?", broken)
                db.execute("UPDATE shared.meta SET value = ? WHERE key = 'generation'", (new_generation(),))
        return len(broken)

    def prune(self, indexes: Sequence[Path]) -> int:
        """Delete vectors that no chunk of these index files refers to; how many.

        A workspace that is just being indexed loses at worst some that it then makes again.
        """
        with self._database.writing_vectors() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS used (passage BLOB PRIMARY KEY) WITHOUT ROWID")
            db.execute("DELETE FROM temp.used")
            for passages in map(_passages_of, indexes):
                db.executemany("INSERT OR IGNORE INTO temp.used VALUES (?)", passages)
            gone = db.execute(
                "DELETE FROM shared.vectors WHERE passage NOT IN (SELECT passage FROM temp.used)"
            ).rowcount
            if gone:
                db.execute("UPDATE shared.meta SET value = ? WHERE key = 'generation'", (new_generation(),))
            db.execute("DELETE FROM temp.used")
        return gone

    def _encoder(self, fingerprint: str) -> tuple[int, int] | None:
        """Id and dimension of an encoder, None where it has no vectors yet."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT id, dimension FROM shared.encoders WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
        return (int(row[0]), int(row[1])) if row else None


def _encoder_id(db: sqlite3.Connection, fingerprint: str, name: str, dimension: int) -> int:
    db.execute(
        "INSERT OR IGNORE INTO shared.encoders(fingerprint, name, dimension) VALUES (?, ?, ?)",
        (fingerprint, name, dimension),
    )
    row = db.execute("SELECT id, dimension FROM shared.encoders WHERE fingerprint = ?", (fingerprint,)).fetchone()
    if row[1] != dimension:
        raise StoreError(f"Encoder {fingerprint} has stored vectors of {row[1]} dimensions, and now gave {dimension}.")
    return int(row[0])


def _passages_of(index: Path) -> list[tuple[bytes]]:
    """The passages that another workspace's index refers to."""
    db = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        return db.execute("SELECT DISTINCT passage FROM chunks").fetchall()
    finally:
        db.close()


def _matrix(rows: Iterable[Any], dimension: int) -> tuple[Ids, Matrix]:
    """(id, blob) rows as ids and a float32 matrix, ids ascending."""
    ids: list[int] = []
    parts: list[bytes] = []
    width = dimension * _STORED.itemsize
    for row_id, data in rows:
        if len(data) == width:  # a blob of another length is damage: as good as none
            ids.append(row_id)
            parts.append(data)
    if not ids:
        return _no_vectors(dimension)
    order = np.argsort(np.array(ids, dtype=np.int64), kind="stable")
    matrix = np.frombuffer(b"".join(parts), dtype=_STORED).reshape(len(ids), dimension)
    sorted_ids, rows = np.array(ids, dtype=np.int64)[order], matrix[order].astype(np.float32)
    if rows.min() >= _MIN and rows.max() <= _MAX:
        return sorted_ids, rows
    # Other bytes than were stored, which SQLite does not notice in a log: such a row would be first for every query.
    whole = ((rows >= _MIN) & (rows <= _MAX)).all(axis=1)
    return sorted_ids[whole], rows[whole]


def _norm(data: bytes, dimension: int) -> float:
    """The length of a stored vector; NaN for what is none of this dimension."""
    if len(data) != dimension * _STORED.itemsize:
        return math.nan
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.frombuffer(data, dtype=_STORED).astype(np.float32)))


def _no_vectors(dimension: int) -> tuple[Ids, Matrix]:
    return np.empty(0, dtype=np.int64), np.empty((0, dimension), dtype=np.float32)
