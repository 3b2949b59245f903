"""A real Neovim, headless, with the plugin of `editors/nvim`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import CHECKOUT, Program
from tests.editors.program import on_path

PLUGIN = CHECKOUT / "editors" / "nvim"
LONG = 200.0  # seconds for one run of the editor; under half a minute on an idle machine
NEEDED = (0, 11)


def editor() -> str | None:
    """The one that $NVIM_PROGRAM names, else the system's Neovim, else the one that the tests' environment brings."""
    return (
        os.environ.get("NVIM_PROGRAM")
        or shutil.which("nvim")
        or shutil.which("nvim", path=str(Path(sys.executable).parent))
    )


def missing() -> str:
    """Why Neovim cannot be driven here; empty where it can."""
    if not (nvim := editor()):
        return "nvim is not installed"
    said = subprocess.run([nvim, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v(\d+)\.(\d+)", said)
    return "" if found and tuple(map(int, found.groups())) >= NEEDED else "nvim is older than 0.11"


NEEDS_NVIM = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
]


def prepared(
    tmp_path: Path,
    *arguments: str | Path,
    init: str = "",
    path: str | None = None,
    encoder: str = "overlap",
    **more: str,
) -> tuple[list[str], dict[str, str]]:
    """What starts Neovim with the plugin and `init`, and its environment."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    first = tmp_path / "init.lua"
    first.write_text(f"vim.opt.runtimepath:prepend([[{PLUGIN}]])\n{init}\n", encoding="utf-8")
    environment = Program(home, encoder).environment(
        PROJECT=str(tmp_path / "project"),
        TOLD=str(tmp_path / "told"),
        LANG="C.UTF-8",
        XDG_RUNTIME_DIR=str(home),
        **more,
    )
    environment["PATH"] = path if path is not None else f"{on_path(tmp_path / 'bin')}:{environment['PATH']}"
    nvim = editor()
    assert nvim
    return [nvim, "--headless", "-i", "NONE", "-n", "-u", str(first), *map(str, arguments)], environment


def run(tmp_path: Path, *arguments: str | Path, **more: Any) -> str:
    """Neovim from its start to its end; what it says on standard error. `more` is for `prepared`."""
    command, environment = prepared(tmp_path, *arguments, **more)
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=LONG, check=False
    )
    told = tmp_path / "told"
    assert done.returncode == 0, (told.read_text() if told.exists() else "") + done.stderr
    return done.stderr


class Remote:
    """A Neovim that runs on, asked and typed into over its socket."""

    def __init__(self, tmp_path: Path, *arguments: str | Path, init: str = "", encoder: str = "overlap") -> None:
        self._socket = tmp_path / "socket"
        command, environment = prepared(tmp_path, *arguments, "--listen", self._socket, init=init, encoder=encoder)
        self._process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.until("true")

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def type(self, keys: str) -> None:
        """Type keys as a person does; <CR> and <Esc> are written so."""
        self._ask("--remote-send", keys)

    def lua(self, expression: str) -> Any:
        """The value of a Lua expression."""
        quoted = expression.replace("'", "''")
        return json.loads(self._ask("--remote-expr", f"json_encode(luaeval('{quoted}'))"))

    def until(self, expression: str) -> Any:
        """The first value of an expression that is neither false nor nil."""
        end = time.monotonic() + 60
        problem = ""
        while time.monotonic() < end:
            try:
                if value := self.lua(expression):
                    return value
            except (subprocess.CalledProcessError, ValueError) as error:  # it has not come so far
                problem = str(getattr(error, "stderr", error))
            time.sleep(0.02)
        raise AssertionError(f"it did not become true: {expression}\n{problem}")

    def _ask(self, *question: str) -> str:
        nvim = editor()
        assert nvim
        asked = [nvim, "--clean", "--server", str(self._socket), *question]
        return subprocess.run(asked, capture_output=True, text=True, timeout=LONG, check=True).stdout
