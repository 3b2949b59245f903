"""Runs `c2llm` as a person does: a process, arguments, an exit code, two streams, sometimes a terminal; see fork_server.py."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import fork_server
from tests.patience import PATIENCE

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def no_traceback(self) -> Result:
        assert "Traceback" not in self.out + self.err, self.err
        assert "Internal error" not in self.err, self.err
        return self


@dataclass(frozen=True)
class Program:
    """`c2llm` with a home, cache and settings of its own. The overlap encoder is fast and needs no model file."""

    home: Path
    encoder: str = "overlap"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "PYTHONPATH": str(CHECKOUT),
            "C2LLM_CACHE_DIR": str(self.cache),
            "C2LLM_ENCODER": self.encoder,
            "COLUMNS": "100",
            **more,
        }

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "c2llm_lsp", *map(str, arguments)]

    def __call__(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        stdin: str | bytes = b"",
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = fork_server.run(
            self.command(*arguments),
            input=given,
            cwd=cwd or self.home,
            env=self.environment(**(environ or {})),
            timeout=PATIENCE,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode()).no_traceback()

    def start(self, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> subprocess.Popen[str]:
        return fork_server.popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=cwd or self.home,
            env=self.environment(**environ),
            preexec_fn=fork_server.default_sigint,
        )

    def on_terminal(self, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> Result:
        """As at a terminal: standard output and error are one pseudo-terminal, so all is in `out`."""
        master, slave = pty.openpty()
        process = fork_server.popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
            cwd=cwd or self.home,
            env=self.environment(**{"TERM": "xterm-256color", **environ}),
        )
        os.close(slave)
        output = _drain(master)
        os.close(master)
        return Result(process.wait(PATIENCE), output.decode(errors="replace"), "").no_traceback()


def _drain(master: int) -> bytes:
    output, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([master], [], [], 1.0)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:  # Linux says EIO when the last holder of the other side is gone
                return output
            if not data:
                return output
            output += data
    raise AssertionError("the process did not end")


def lay_out(root: Path, files: Mapping[str, str]) -> Path:
    """A small project on disk, from strings."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
