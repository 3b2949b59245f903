"""Vectors that a team shares in PostgreSQL, by the encoder's fingerprint and the hash of the passage. No code, no paths.

psycopg is imported when a server is asked, not here.
"""

from __future__ import annotations

from retrieval.team.address import Address, parse
from retrieval.team.connection import PATIENT, Connection, Limits
from retrieval.team.fetching import TeamVectors
from retrieval.team.maintenance import EncoderRow, TeamStatus, collect, status
from retrieval.team.publishing import Publisher
from retrieval.team.schema import SCHEMA_VERSION, initialize, roles_sql

__all__ = [
    "PATIENT",
    "SCHEMA_VERSION",
    "Address",
    "Connection",
    "EncoderRow",
    "Limits",
    "Publisher",
    "TeamStatus",
    "TeamVectors",
    "collect",
    "initialize",
    "parse",
    "roles_sql",
    "status",
]
