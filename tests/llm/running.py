"""The scripted server as a process, and what it was asked."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import fork_server
from tests.patience import PATIENCE

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class ScriptedServer:
    """A running server."""

    port: int

    def llm(self, script: str, *, options: str = "") -> str:
        """The setting for a script."""
        return f"http://127.0.0.1:{self.port}/v1#{script}{options}"

    def asked(self) -> list[dict[str, Any]]:
        """What was asked since the last call."""
        found = json.loads(self._get("asked"))
        assert isinstance(found, list)
        return found

    def held(self) -> Held:
        """A model whose answers wait behind their first piece until it is released: one for each test."""
        return Held(self, f"held-{next(_NUMBERS)}")

    def release(self, model: str) -> None:
        self._get(f"release/{model}")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=PATIENCE) as response:
            content: bytes = response.read()
        return content


@dataclass(frozen=True)
class Held:
    """A model that waits."""

    server: ScriptedServer
    model: str

    @property
    def llm(self) -> str:
        return self.server.llm(self.model)

    def release(self) -> None:
        self.server.release(self.model)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with fork_server.popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            yield ScriptedServer(int(process.stdout.readline()))
        finally:
            process.kill()
