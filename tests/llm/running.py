"""The scripted server as a process, and what it was asked."""

from __future__ import annotations

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

    def release(self) -> None:
        """Let a held answer go on."""
        self._get("release")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=PATIENCE) as response:
            content: bytes = response.read()
        return content


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with fork_server.popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            yield ScriptedServer(int(process.stdout.readline()))
        finally:
            process.kill()
