"""A program at a terminal: keys are typed, and the screen is what a terminal shows of what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

from tests.patience import PATIENCE


class Terminal:
    """Starts a program and reads what it draws. Closed by `close`, which ends the program."""

    def __init__(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], *, columns: int = 80, rows: int = 24
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**env, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._master = master
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, shown: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the screen is as awaited; its rows."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._ended or shown(self.screen.display), timeout=PATIENCE)
            rows = list(self.screen.display)
        if not came or not shown(rows):
            raise AssertionError("The screen did not come; it is:\n" + "\n".join(row.rstrip() for row in rows))
        return rows

    def wait(self) -> int:
        """The exit code, when the program ends by itself."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the program has ended
                data = b""
            with self._changed:
                self._ended = not data
                self.written += data
                self._stream.feed(data)
                self._changed.notify_all()
            if not data:
                return
