"""The tables in PostgreSQL, how they are made and migrated, and what each role may do.

schema c2llm
    meta        key, value       schema_version
    encoders    id, fingerprint, dimension, made
    vectors     encoder, passage (16 bytes: the hash of what the encoder reads) -> data (float16, little-endian, as it is stored
                locally), used (a day: when it was last fetched or published, true to a week). The day stands in the row
                and in no index, so that noting it writes one page.
    note_use(encoder, passages)  sets `used`; it runs with its owner's rights, so that readers need none to write

A reader selects and calls note_use; a publisher inserts as well. Neither can change or delete a vector: only the owner of the
schema, who also runs `c2llm team gc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from retrieval.errors import TeamVectorsError

if TYPE_CHECKING:
    import psycopg

Database: TypeAlias = "psycopg.Connection[Any]"

SCHEMA_VERSION = 1
USE_DAYS = 7  # how exactly the last use is known: a busy row is rewritten once in so many days

# Several may run `init` at once: they wait for each other by this number.
_LOCK = 0x6332_6C6C_6D01

_M001 = f"""
CREATE SCHEMA IF NOT EXISTS c2llm;
CREATE TABLE c2llm.meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE c2llm.encoders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL UNIQUE,
    dimension integer NOT NULL CHECK (dimension > 0),
    made timestamptz NOT NULL DEFAULT now());
CREATE TABLE c2llm.vectors (
    encoder integer NOT NULL REFERENCES c2llm.encoders(id),
    passage bytea NOT NULL CHECK (octet_length(passage) = 16),
    used date NOT NULL DEFAULT current_date,
    data bytea NOT NULL,
    PRIMARY KEY (encoder, passage)) WITH (fillfactor = 85);
ALTER TABLE c2llm.vectors ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE FUNCTION c2llm.note_use(of_encoder integer, passages bytea[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'UPDATE c2llm.vectors SET used = current_date
        WHERE encoder = of_encoder AND passage = ANY(passages) AND used <= current_date - {USE_DAYS}';
REVOKE ALL ON FUNCTION c2llm.note_use(integer, bytea[]) FROM PUBLIC;
INSERT INTO c2llm.meta VALUES ('schema_version', '1');
"""
MIGRATIONS = (_M001,)


def initialize(database: Database) -> tuple[int, int]:
    """Make or migrate the tables, in one transaction; the version before and after. Raises TeamVectorsError."""
    with database.transaction():
        database.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        before = _version(database)
        if before > SCHEMA_VERSION:
            raise TeamVectorsError(
                f"The team's database has tables of version {before}, this program makes version {SCHEMA_VERSION}: "
                "upgrade c2llm-lsp."
            )
        for migration in MIGRATIONS[before:]:
            database.execute(migration.encode())
    return before, SCHEMA_VERSION


def _version(database: Database) -> int:
    row = database.execute("SELECT to_regclass('c2llm.meta') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = database.execute("SELECT value FROM c2llm.meta WHERE key = 'schema_version'").fetchone()
    return int(row[0]) if row else 0


def roles_sql(reader: str, publisher: str) -> str:
    """What an administrator runs to make the two roles; people and CI are then granted one of them."""
    read, publish = _quoted(reader), _quoted(publisher)
    return f"""\
-- Who fetches: GRANT {read} TO somebody;
CREATE ROLE {read} NOLOGIN;
GRANT USAGE ON SCHEMA c2llm TO {read};
GRANT SELECT ON c2llm.meta, c2llm.encoders, c2llm.vectors TO {read};
GRANT EXECUTE ON FUNCTION c2llm.note_use(integer, bytea[]) TO {read};
-- Who publishes, as CI: GRANT {publish} TO somebody;
CREATE ROLE {publish} NOLOGIN IN ROLE {read};
GRANT INSERT ON c2llm.encoders, c2llm.vectors TO {publish};
"""


def _quoted(name: str) -> str:
    return '"' + name.replace("\0", "").replace('"', '""') + '"'
