"""One connection with time limits: nobody waits longer than those for a server, whatever it or the network does.

libpq has no limit of its own for an answer that does not come, so each request runs on a thread that is given up when its time is
over; its socket is shut down then, which ends it.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from retrieval.errors import CancelledError, MissingExtraError, TeamVectorsError
from retrieval.team.address import Address
from retrieval.team.schema import SCHEMA_VERSION, Database

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_POLL_SECONDS = 0.1  # how often a waiting request looks at its cancel

# What PostgreSQL's error classes mean to people; two characters are a class, five one error.
_REASONS = {
    "28P01": "refuses the password",
    "28": "refuses this user",
    "3D000": "has no such database",
    "3F": "has no tables of c2llm: somebody who may runs c2llm team init",
    "42P01": "has no tables of c2llm: somebody who may runs c2llm team init",
    "42501": "does not allow this user to do that (c2llm team roles shows what is needed)",
    "25006": "can only be read",
    "53100": "has no disk space left",
    "53300": "has too many connections",
    "53": "is short of resources",
    "57014": "took too long",
    "57P": "is starting or shutting down",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: to be connected, and for one answer."""

    connect: float = 5.0
    answer: float = 10.0


PROMPT = Limits()
# Waiting is right where somebody has asked for it by a command.
PATIENT = Limits(connect=10.0, answer=600.0)


def never() -> bool:
    return False


class Connection:
    """Connected on first use. Used by one thread at a time."""

    def __init__(self, address: Address, limits: Limits, *, any_schema: bool = False) -> None:
        self.address = address
        self._limits, self._any_schema = limits, any_schema
        self._database: Database | None = None

    def ask(self, request: Callable[[Database], T], stop: Callable[[], bool] = never) -> T:
        """What `request` gives. Raises TeamVectorsError, CancelledError, MissingExtraError; the connection is closed then."""
        try:
            if self._database is None:
                # libpq's own limit comes first, so that hardly ever a thread is left behind
                self._within(self._limits.connect + 1.0, self._connect, stop)
            return self._within(self._limits.answer, lambda: self._run(request), stop)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(Exception):
                database.close()

    def _connect(self) -> None:
        try:
            import psycopg
        except ImportError:
            raise MissingExtraError("A team's vectors", "team") from None
        try:
            self._database = psycopg.connect(
                autocommit=True,
                prepare_threshold=None,  # poolers between here and the server do not keep prepared statements
                connect_timeout=max(2, round(self._limits.connect)),
                application_name="c2llm",
                **dict(self.address.parameters),  # type: ignore[arg-type]
            )
        except psycopg.Error as error:
            raise self.error(error) from None
        if not self._any_schema:
            self._run(self._check_schema)

    def _check_schema(self, database: Database) -> None:
        row = database.execute("SELECT value FROM c2llm.meta WHERE key = 'schema_version'").fetchone()
        found = str(row[0]) if row else "none"
        if found == str(SCHEMA_VERSION):
            return
        newer = found.isdigit() and int(found) > SCHEMA_VERSION
        advice = "upgrade c2llm-lsp" if newer else "somebody who may runs c2llm team init"
        raise self.failure(f"has tables of version {found[:20]}, this program reads version {SCHEMA_VERSION}: {advice}")

    def _run(self, request: Callable[[Database], T]) -> T:
        import psycopg

        database = self._database
        if database is None:
            raise self.failure("was given up")
        try:
            return request(database)
        except psycopg.Error as error:
            raise self.error(error) from None

    def _within(self, seconds: float, work: Callable[[], T], stop: Callable[[], bool]) -> T:
        """Run it on a thread of its own, for so long at most."""
        results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                results.put((work(), None))
            except BaseException as error:
                results.put((None, error))

        threading.Thread(target=run, name="c2llm-team", daemon=True).start()
        end = time.monotonic() + seconds
        while True:
            try:
                result, error = results.get(timeout=max(0.0, min(_POLL_SECONDS, end - time.monotonic())))
            except queue.Empty:
                if stop():
                    self._abandon()
                    raise CancelledError("Fetching vectors was cancelled.") from None
                if time.monotonic() >= end:
                    self._abandon()
                    raise self.failure(f"did not answer within {seconds:g} s") from None
                continue
            if error is not None:
                raise error
            return result  # type: ignore[return-value]

    def _abandon(self) -> None:
        """End what the thread waits for."""
        database, self._database = self._database, None
        if database is not None:
            with suppress(Exception), socket.fromfd(database.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    def error(self, error: psycopg.Error) -> TeamVectorsError:
        """In words of ours: a server's message can hold anything."""
        return self.failure(_reason(error.sqlstate or "", str(error)))

    def failure(self, reason: str) -> TeamVectorsError:
        return TeamVectorsError(f"The team's database at {self.address.shown} {reason}.")


def _reason(state: str, message: str) -> str:
    for length in (5, 3, 2):
        if state[:length] in _REASONS:
            return _REASONS[state[:length]]
    if state and not state.startswith("08"):
        return f"answers with error {state}"
    lower = message.lower()
    if "certificate" in lower or "ssl" in lower:
        return "cannot prove who it is (TLS): see sslmode and sslrootcert in the documentation of shared vectors"
    if "password" in lower or "authentication" in lower:
        return "refuses this user or password"
    if "timeout" in lower:
        return "did not answer in time"
    return "cannot be reached"
