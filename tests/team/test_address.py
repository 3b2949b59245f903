"""Addresses of a team's database: no secret in them, and TLS unless the server is on this machine."""

from __future__ import annotations

import pytest

from retrieval.errors import SettingsError
from retrieval.team import parse


def test_the_parts_become_parameters_of_libpq() -> None:
    address = parse("postgresql://bob@127.0.0.1:6432/team")
    assert dict(address.parameters) == {"host": "127.0.0.1", "port": "6432", "user": "bob", "dbname": "team"}
    assert address.shown == "127.0.0.1:6432/team"
    assert dict(parse("postgres:///team?host=/run/postgresql").parameters) == {
        "host": "/run/postgresql",
        "dbname": "team",
    }


def test_a_server_elsewhere_must_prove_who_it_is() -> None:
    parameters = dict(parse("postgresql://db.example.com/team").parameters)
    assert (parameters["sslmode"], parameters["sslrootcert"]) == ("verify-full", "system")
    parameters = dict(parse("postgresql://db.example.com/team?sslmode=require").parameters)
    assert parameters["sslmode"] == "require"
    assert "sslrootcert" not in parameters
    assert "sslmode" not in dict(parse("postgresql://localhost/team").parameters)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bob:hunter2@db/team",
        "postgresql://bob:@db/team",
        "postgresql://db/team?password=hunter2",
        "postgresql://db/team?sslpassword=hunter2",
        "mysql://bob:hunter2@db/team",
        "hunter2",
        "postgresql:///hunter2",
        "postgresql://db:hunter2/team",
        "postgresql://db/team?options=hunter2",
        "postgresql://db/team?hunter2",
        "postgresql://db/team?host=hunter2",
    ],
)
def test_what_is_wrong_is_said_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


def test_a_certificate_is_never_taken_from_the_workspace() -> None:
    with pytest.raises(SettingsError, match="absolute path"):
        parse("postgresql://db/team?sslrootcert=certs/ca.pem")
    assert dict(parse("postgresql://db/team?sslrootcert=/etc/ca.pem").parameters)["sslrootcert"] == "/etc/ca.pem"
