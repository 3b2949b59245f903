"""What a team's database holds, and the collection of vectors that nobody uses any more."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.team.connection import Connection
from retrieval.team.schema import SCHEMA_VERSION, Database

BATCH = 10_000  # rows deleted in one transaction: others wait for none of it


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One encoder: how many vectors of it there are, and the days (ISO) between which they were last used."""

    fingerprint: str
    dimension: int
    vectors: int
    oldest_use: str | None
    newest_use: str | None


@dataclass(frozen=True, slots=True)
class TeamStatus:
    """The database as this user sees it. `bytes_on_disk` with indexes."""

    server: str
    schema_version: int
    may_publish: bool
    encrypted: bool
    bytes_on_disk: int
    encoders: tuple[EncoderRow, ...]

    @property
    def vectors(self) -> int:
        return sum(encoder.vectors for encoder in self.encoders)


def status(connection: Connection) -> TeamStatus:
    """Counts rows, which takes a second for a million. Raises TeamVectorsError."""

    def read(database: Database) -> TeamStatus:
        rows = database.execute(
            """SELECT e.fingerprint, e.dimension, count(v.passage), min(v.used)::text, max(v.used)::text
               FROM c2llm.encoders e LEFT JOIN c2llm.vectors v ON v.encoder = e.id
               GROUP BY e.id ORDER BY e.id"""
        ).fetchall()
        encoders = tuple(EncoderRow(str(f), int(d), int(n), _day(a), _day(b)) for f, d, n, a, b in rows)
        row = database.execute(
            """SELECT pg_total_relation_size('c2llm.vectors'), has_table_privilege('c2llm.vectors', 'INSERT'),
               coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)"""
        ).fetchone()
        size, publishes, encrypted = row if row is not None else (0, False, False)
        return TeamStatus(
            connection.address.shown, SCHEMA_VERSION, bool(publishes), bool(encrypted), int(size), encoders
        )

    return connection.ask(read)


def collect(
    connection: Connection,
    days: int,
    *,
    fingerprint: str | None = None,
    dry_run: bool = False,
) -> int:
    """Delete the vectors that nobody has fetched or published for so many days, of one encoder or of all; how many.

    Encoders that are left without vectors go, too. Raises TeamVectorsError.
    """
    where = """v.used < current_date - %s::integer
               AND (%s::text IS NULL OR v.encoder = (SELECT id FROM c2llm.encoders WHERE fingerprint = %s))"""
    values = (days, fingerprint, fingerprint)
    if dry_run:
        count = f"SELECT count(*) FROM c2llm.vectors v WHERE {where}".encode()
        row = connection.ask(lambda database: database.execute(count, values).fetchone())
        return int(row[0]) if row else 0
    delete = f"""DELETE FROM c2llm.vectors d WHERE d.ctid = ANY(ARRAY(
                 SELECT v.ctid FROM c2llm.vectors v WHERE {where} LIMIT {BATCH})) AND d.used < current_date - %s::integer"""
    gone = 0
    while count_deleted := connection.ask(lambda database: database.execute(delete.encode(), (*values, days)).rowcount):
        gone += count_deleted
    empty = """DELETE FROM c2llm.encoders e WHERE made < now() - interval '1 day'
               AND NOT EXISTS (SELECT 1 FROM c2llm.vectors v WHERE v.encoder = e.id)"""
    connection.ask(lambda database: database.execute(empty))
    return gone


def _day(value: object) -> str | None:
    return None if value is None else str(value)
