"""Parses the address of a team's database: postgresql://USER@HOST:PORT/DATABASE?sslmode=…

It holds no password, because settings are shown and copied: libpq finds one in ~/.pgpass or PGPASSWORD. A server on another machine
must prove who it is (sslmode=verify-full against the system's certificates) unless the address says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from retrieval.errors import SettingsError

EXPECTED_FORM = "expected is postgresql://USER@HOST:PORT/DATABASE"
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_OPTIONS = ("host", "sslmode", *_FILES)
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")
_SECRET = "A database's address cannot hold a password: put it into ~/.pgpass or PGPASSWORD."


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, as libpq's parameters. `shown` is safe in messages."""

    shown: str
    parameters: tuple[tuple[str, str], ...]


def parse(text: str) -> Address:
    """Parse the setting. Raises SettingsError, which shows no secret."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise SettingsError(f"shared_vectors is no address of a database: {EXPECTED_FORM}.") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise SettingsError(f"shared_vectors is no address of PostgreSQL: {EXPECTED_FORM}.")
    if parts.password is not None or any("password" in name for name, _ in pairs):
        raise SettingsError(_SECRET)
    parameters = {name: _option(name, value) for name, value in pairs}
    if parts.hostname:
        parameters["host"] = unquote(parts.hostname)
    if not parameters.get("host"):
        raise SettingsError(f"shared_vectors names no host: {EXPECTED_FORM}.")
    if port is not None:
        parameters["port"] = str(port)
    if parts.username:
        parameters["user"] = unquote(parts.username)
    if database := unquote(parts.path.removeprefix("/")):
        parameters["dbname"] = database
    _require_tls(parameters)
    shown = f"{parameters['host']}{f':{port}' if port is not None else ''}{f'/{database}' if database else ''}"
    return Address(shown, tuple(parameters.items()))


def _option(name: str, value: str) -> str:
    if name not in _OPTIONS:
        raise SettingsError(f"A database's address cannot hold {name[:40]!r}: known are {', '.join(_OPTIONS)}.")
    if name in _FILES and value != "system":
        # Relative to the current directory it would be a file of the workspace, which could then vouch for any server.
        path = Path(value).expanduser()
        if not path.is_absolute():
            raise SettingsError(f"A database's address has {name}={value}: expected is an absolute path.")
        return str(path)
    if name == "host" and not value.startswith("/"):
        raise SettingsError("In a database's address host= is the absolute path of a socket's folder.")
    return value


def _require_tls(parameters: dict[str, str]) -> None:
    host = parameters["host"]
    if host.startswith("/") or _LOOPBACK.fullmatch(host):
        return
    parameters.setdefault("sslmode", "verify-full")
    if parameters["sslmode"].startswith("verify"):
        parameters.setdefault("sslrootcert", "system")
