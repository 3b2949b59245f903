"""Nothing is looked up and only the cache folder is written: shown without a network, and by watching for attempts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.cli.program import CHECKOUT
from tests.patience import PATIENCE

GUARD = CHECKOUT / "tests/cli/guard"
CAUGHT = 97  # how the guard ends a process
encoders = pytest.mark.parametrize("encoder", ["overlap", pytest.param("embedded", marks=pytest.mark.slow)])


@cache
def without_network() -> list[str]:
    """A command before a command that leaves it no network; empty where the system does not let us."""
    for prefix in (["unshare", "-n"], ["unshare", "-rn"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        ):
            return prefix
    return []


def guarded(home: Path, encoder: str) -> dict[str, str]:
    """The environment of a newcomer: an empty home, no settings, the guard on."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "C2LLM_ENCODER": encoder,
        "C2LLM_TEST_GUARD": str(home.parent / "attempts"),
        "PYTHONPATH": f"{GUARD}{os.pathsep}{CHECKOUT}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@encoders
def test_a_search_needs_no_network_and_writes_only_the_cache(encoder: str, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "nobody"
    home.mkdir()
    before = sorted(project.rglob("*"))
    command = [*without_network(), sys.executable, "-m", "c2llm_lsp", "search", "apply ignore rules", str(project)]
    done = subprocess.run(
        command, env=guarded(home, encoder), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, (tmp_path / "attempts").exists()) == (0, False), done.stderr
    assert "ignore.py" in done.stdout
    assert sorted(project.rglob("*")) == before
    written = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert written
    assert all(re.match(r"(\.cache|Library/Caches)/c2llm-lsp/", name) for name in written), written


def test_the_guard_catches_a_lookup(tmp_path: Path) -> None:
    code = "import socket; socket.getaddrinfo('localhost', 80)"
    done = subprocess.run([sys.executable, "-c", code], env=guarded(tmp_path / "x", "overlap"), check=False)
    assert done.returncode == CAUGHT
    assert "getaddrinfo" in (tmp_path / "attempts").read_text()


@pytest.mark.slow
@encoders
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_no_library_opens_a_socket_behind_pythons_back(encoder: str, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "nobody"
    home.mkdir()
    log = tmp_path / "calls"
    strace = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(log)]
    command = [*strace, sys.executable, "-m", "c2llm_lsp", "search", "apply ignore rules", str(project), "--quiet"]
    done = subprocess.run(
        command, env=guarded(home, encoder), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if "PTRACE_TRACEME" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 0, done.stderr
    assert not re.findall(r".*AF_INET6?\b.*", log.read_text())
