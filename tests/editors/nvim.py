"""A real Neovim, headless, with the plugin of `editors/nvim`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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


def run(
    tmp_path: Path,
    *arguments: str | Path,
    init: str = "",
    path: str | None = None,
    encoder: str = "overlap",
    **more: str,
) -> str:
    """Neovim with the plugin and `init`; what it says on standard error."""
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
    done = subprocess.run(
        [nvim, "--headless", "-i", "NONE", "-n", "-u", str(first), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=LONG,
        check=False,
    )
    told = tmp_path / "told"
    assert done.returncode == 0, (told.read_text() if told.exists() else "") + done.stderr
    return done.stderr
