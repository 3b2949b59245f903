"""Publishes vectors by key: those that the team has already are not sent."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.team.address import Address
from retrieval.team.connection import PATIENT, Connection, Limits
from retrieval.team.vector_bytes import Matrix, encode, unit_rows


class Publisher:
    """Writes for one encoder. Each call is one transaction: whatever ends it, what was sent before stays."""

    def __init__(self, address: Address, fingerprint: str, dimension: int, limits: Limits = PATIENT) -> None:
        self._connection = Connection(address, limits)
        self._fingerprint, self._dimension = fingerprint, dimension
        self._encoder: int | None = None

    def missing(self, passages: Sequence[bytes]) -> list[bytes]:
        """Those of the passages that the team does not have; the others count as used today. Raises TeamVectorsError."""
        encoder = self._encoder_id()
        keys = list(dict.fromkeys(passages))
        sql = "SELECT passage FROM c2llm.vectors WHERE encoder = %s AND passage = ANY(%s)"
        rows = self._connection.ask(
            lambda database: database.cursor(binary=True).execute(sql, (encoder, keys)).fetchall()
        )
        known = [bytes(row[0]) for row in rows]
        if known:
            self._connection.ask(lambda database: database.execute("SELECT c2llm.note_use(%s, %s)", (encoder, known)))
        there = frozenset(known)
        return [key for key in keys if key not in there]

    def publish(self, passages: Sequence[bytes], matrix: Matrix) -> int:
        """Send them; how many the team did not have. Vectors that are not of length 1 are left out. Raises TeamVectorsError."""
        if matrix.shape != (len(passages), self._dimension):
            raise self._connection.failure(f"was to get vectors of shape {matrix.shape} for {len(passages)} passages")
        whole = unit_rows(matrix)
        keys = [passage for passage, unit in zip(passages, whole, strict=True) if unit]
        rows, encoder = encode(matrix[whole]), self._encoder_id()
        sql = """INSERT INTO c2llm.vectors (encoder, passage, data)
                 SELECT %s, * FROM unnest(%s::bytea[], %s::bytea[]) ON CONFLICT DO NOTHING"""
        return self._connection.ask(lambda database: database.execute(sql, (encoder, keys, rows)).rowcount)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _encoder_id(self) -> int:
        if self._encoder is None:
            sql = "SELECT id, dimension FROM c2llm.encoders WHERE fingerprint = %s"
            row = self._connection.ask(lambda database: database.execute(sql, (self._fingerprint,)).fetchone())
            if row is None:
                insert = "INSERT INTO c2llm.encoders (fingerprint, dimension) VALUES (%s, %s) ON CONFLICT DO NOTHING"
                values = (self._fingerprint, self._dimension)
                self._connection.ask(lambda database: database.execute(insert, values))
                row = self._connection.ask(lambda database: database.execute(sql, (self._fingerprint,)).fetchone())
            if row is None or int(row[1]) != self._dimension:
                found = "none" if row is None else f"{row[1]} dimensions"
                raise self._connection.failure(
                    f"has other vectors of this encoder: {found}, {self._dimension} are expected"
                )
            self._encoder = int(row[0])
        return self._encoder
