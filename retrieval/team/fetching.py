"""Fetches vectors by key in bulk. A server that fails is left alone for a while: whoever indexes embeds the rest meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from retrieval.errors import CancelledError, MissingExtraError, TeamVectorsError
from retrieval.team.address import parse
from retrieval.team.connection import PROMPT, Connection, Limits
from retrieval.team.schema import USE_DAYS, Database
from retrieval.team.vector_bytes import Matrix, WrongVectorsError, decode

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 900.0  # seconds in which a server that has failed is not asked again


class TeamVectors:
    """The vectors behind an address, as `retrieval.indexing` asks for them. Used by one thread at a time."""

    def __init__(self, address: str, limits: Limits = PROMPT) -> None:
        """Nothing is connected, and the address not even looked at yet."""
        self._address, self._limits = address, limits
        self._connection: Connection | None = None
        self._encoders: dict[str, tuple[int, int]] = {}  # fingerprint -> id and dimension there
        self._may_note_use = True
        self._failure, self._failures, self._paused_until = "", 0, 0.0

    def fetch(
        self, fingerprint: str, dimension: int, passages: Sequence[bytes], stop: Callable[[], bool]
    ) -> tuple[list[bytes], Matrix]:
        """Those of the passages that the team has, and their vectors. Raises TeamVectorsError, CancelledError, SettingsError and
        MissingExtraError.
        """
        if time.monotonic() < self._paused_until:
            raise TeamVectorsError(self._failure)
        try:
            connection = self._connection = self._connection or Connection(parse(self._address), self._limits)
            found = connection.ask(lambda database: self._rows(database, fingerprint, passages), stop)
            vectors = self._checked(connection, found, passages, dimension)
            self._note_use(connection, fingerprint, found, stop)
        except (TeamVectorsError, MissingExtraError) as error:
            self._pause(str(error))
            raise
        except CancelledError:
            self.finish()
            raise
        self._failures = 0
        return vectors

    def finish(self) -> None:
        """A run is over: nothing stays connected."""
        connection, self._connection = self._connection, None
        self._encoders.clear()
        if connection is not None:
            connection.close()

    def _rows(
        self,
        database: Database,
        fingerprint: str,
        passages: Sequence[bytes],
    ) -> list[tuple[bytes, bytes, int]]:
        """Passage, data and days since the last use."""
        known = self._encoders.get(fingerprint)
        if known is None:
            sql = "SELECT id, dimension FROM c2llm.encoders WHERE fingerprint = %s"
            row = database.execute(sql, (fingerprint,)).fetchone()
            if row is None:
                return []
            known = self._encoders[fingerprint] = (int(row[0]), int(row[1]))
        sql = "SELECT passage, data, current_date - used FROM c2llm.vectors WHERE encoder = %s AND passage = ANY(%s)"
        cursor = database.cursor(binary=True)
        rows: list[tuple[bytes, bytes, int]] = cursor.execute(sql, (known[0], list(passages))).fetchall()
        return rows

    def _checked(
        self,
        connection: Connection,
        found: list[tuple[bytes, bytes, int]],
        passages: Sequence[bytes],
        dimension: int,
    ) -> tuple[list[bytes], Matrix]:
        keys = [bytes(row[0]) for row in found]
        if len(set(keys)) != len(keys) or not set(keys) <= set(passages):
            raise connection.failure("answers with vectors that were not asked for: none of them is used")
        if not keys:
            return [], np.empty((0, dimension), np.float32)
        try:
            return keys, decode([bytes(row[1]) for row in found], dimension)
        except WrongVectorsError as error:
            raise connection.failure(f"answers with {error}: none of them is used") from None

    def _note_use(
        self, connection: Connection, fingerprint: str, found: list[tuple[bytes, bytes, int]], stop: Callable[[], bool]
    ) -> None:
        """Keep what is used from being collected. A server that does not allow it, as a replica, is not asked again."""
        old = [passage for passage, _, days in found if days >= USE_DAYS]
        if not old or not self._may_note_use:
            return
        encoder = self._encoders[fingerprint][0]
        with suppress(TeamVectorsError):
            self._may_note_use = False
            connection.ask(lambda database: database.execute("SELECT c2llm.note_use(%s, %s)", (encoder, old)), stop)
            self._may_note_use = True

    def _pause(self, failure: str) -> None:
        self.finish()
        self._failure = failure
        self._paused_until = time.monotonic() + min(FIRST_PAUSE * 2.0**self._failures, LONGEST_PAUSE)
        self._failures += 1
