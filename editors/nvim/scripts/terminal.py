"""Neovim in a real terminal: keys in, a screen out. For pictures (pictures.py) and for times (latency.py)."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from html import escape

import pyte

COLUMNS, LINES = 132, 40
DIM, BACKGROUND = "#d4d4d4", "#14161b"  # what Neovim's own colours stand on


class Terminal:
    """A pseudo-terminal with a process in it, and what its screen shows."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._process, self._file = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._file)

    def type(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def until(self, holds: Callable[[str], bool], seconds: float = 60) -> float:
        """Read until the screen's text is as wanted; the seconds that it took."""
        began = time.perf_counter()
        while not holds(self.text()):
            if time.perf_counter() - began > seconds:
                raise TimeoutError(f"After {seconds} s the screen shows:\n{self.text()}")
            self.read(0.05)
        return time.perf_counter() - began

    def read(self, seconds: float) -> bool:
        """Take in what comes within a time; whether anything came."""
        if not select.select([self._file], [], [], seconds)[0]:
            return False
        self._stream.feed(os.read(self._file, 1 << 16))
        return True

    def rest(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def html(self) -> str:
        """The screen as a page, for a picture."""
        rows = []
        for number in range(LINES):
            row, cells = self.screen.buffer[number], []
            for column in range(COLUMNS):
                cell = row[column]
                fore, back = _colour(cell.fg, DIM), _colour(cell.bg, BACKGROUND)
                if cell.reverse:
                    fore, back = back, fore
                if (number, column) == (self.screen.cursor.y, self.screen.cursor.x):
                    fore, back = BACKGROUND, "#e0e2ea"
                weight = ";font-weight:bold" if cell.bold else ""
                style = f"color:{fore};background:{back}{weight}"
                cells.append((style, cell.data or ""))
            rows.append("".join(f'<span style="{style}">{escape(data)}</span>' for style, data in cells))
        style = f"margin:0;padding:12px;background:{BACKGROUND};font:15px/19px 'DejaVu Sans Mono',monospace"
        return f'<meta charset="utf-8"><body style="margin:0"><pre style="{style};display:inline-block">' + "\n".join(
            rows
        )


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return (
        f"#{name}" if len(name) == 6 and all(c in "0123456789abcdef" for c in name) else name.replace("bright", "light")
    )
