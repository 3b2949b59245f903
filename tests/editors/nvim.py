"""A real Neovim, headless, with the plugin of `editors/nvim`."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import CHECKOUT, Program
from tests.editors.program import on_path
from tests.patience import PATIENCE

PLUGIN = CHECKOUT / "editors" / "nvim"
NEEDED = (0, 11)
LINES, COLUMNS = 40, 120


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
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
]


def plugin(name: str) -> Path:
    """The folder of a real plugin; the test is skipped where $NVIM_PLUGINS names no folder of such."""
    if not (folder := os.environ.get("NVIM_PLUGINS")):
        pytest.skip("$NVIM_PLUGINS is not set")
    found = Path(folder) / name
    assert found.is_dir(), f"{folder} has no {name}"
    return found


def prepared(
    tmp_path: Path,
    *arguments: str | Path,
    init: str = "",
    path: str | None = None,
    encoder: str = "overlap",
    headless: bool = True,
    by_hand: bool = True,
    **more: str,
) -> tuple[list[str], dict[str, str]]:
    """What starts Neovim with the plugin and `init`, and its environment."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    first = tmp_path / "init.lua"
    there = f"vim.opt.runtimepath:prepend([[{PLUGIN}]])\n" if by_hand else ""
    first.write_text(f"{there}{init}\n", encoding="utf-8")
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
    unseen = ["--headless"] if headless else []
    return [nvim, *unseen, "-i", "NONE", "-n", "-u", str(first), *map(str, arguments)], environment


def run(tmp_path: Path, *arguments: str | Path, cwd: Path | None = None, **more: Any) -> str:
    """Neovim from its start to its end; what it says on standard error. `more` is for `prepared`."""
    command, environment = prepared(tmp_path, *arguments, **more)
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=cwd or tmp_path, timeout=PATIENCE, check=False
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
        end = time.monotonic() + PATIENCE
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
        return subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


class Terminal:
    """A Neovim with a screen and a keyboard: one that asks a person, and waits for the answer."""

    def __init__(self, tmp_path: Path, *arguments: str | Path, init: str = "") -> None:
        command, environment = prepared(tmp_path, *arguments, init=init, headless=False, TERM="xterm-256color")
        self._screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
        )
        os.close(inside)
        self._said = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def until(self, words: str) -> None:
        """Read until the terminal was sent these words, since the last time."""
        end = time.monotonic() + PATIENCE
        while words not in self._said:
            assert time.monotonic() < end, f"{words!r} did not come, but:\n{self._said[-2000:]}"
            self.read(0.1)
        self._said = self._said.partition(words)[2]

    def read(self, seconds: float) -> None:
        if select.select([self._screen], [], [], seconds)[0]:
            self._said += os.read(self._screen, 1 << 16).decode(errors="replace")
