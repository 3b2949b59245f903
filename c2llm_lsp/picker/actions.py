"""What is done with a result: opened in an editor at its line, or copied.

Programs are looked for outside of the workspace alone; the editor is the one that $VISUAL or $EDITOR names.
"""

from __future__ import annotations

import base64
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from retrieval.errors import C2llmError
from retrieval.processes.environment import find_program
from retrieval.processes.helpers import run_interactively

# How an editor is told the line. What is not here gets +LINE, as vi began it: Vim, Neovim, nano, Emacs, Kakoune, joe, less.
_GOTO = ("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf", "positron")
_COLON = ("hx", "helix", "subl", "zed", "zeditor", "micro", "lapce")
_LINE_OPTION = (
    "idea",
    "pycharm",
    "goland",
    "webstorm",
    "phpstorm",
    "clion",
    "rider",
    "rubymine",
    "rustrover",
    "mate",
    "kate",
)
_FALLBACKS = ("nvim", "vim", "vi", "nano", "emacs")


class NoEditorError(C2llmError):
    """There is no editor to open a result with."""


def editor_command(path: Path, line: int, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that opens a file at a line. Raises NoEditorError."""
    named = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        words = shlex.split(named, posix=os.name != "nt")
    except ValueError:
        raise NoEditorError(f"The editor {named!r} cannot be read: a quotation mark is missing.") from None
    for name in [words[0]] if words else _FALLBACKS:
        program = name if Path(name).is_absolute() else find_program(name)
        if program is not None:
            return [program, *words[1:], *_arguments(Path(name).stem.lower(), path, line)]
    if words:
        raise NoEditorError(f"There is no program {words[0]}, which $VISUAL or $EDITOR names, on PATH.")
    raise NoEditorError("Set $EDITOR to the editor that opens results, such as vim or 'code --wait'.")


def _arguments(editor: str, path: Path, line: int) -> list[str]:
    if editor in _GOTO:
        return ["--goto", f"{path}:{line}"]
    if editor in _COLON:
        return [f"{path}:{line}"]
    if editor in _LINE_OPTION:
        return ["--line", str(line), str(path)]
    return [f"+{line}", str(path)]


def open_in_editor(path: Path, line: int) -> None:
    """Run the editor and wait for it. Raises NoEditorError, or OSError where it does not start."""
    run_interactively(editor_command(path, line))


def osc52(text: str) -> str:
    """The escape sequence by which a terminal, also at the other end of ssh, puts a text on the clipboard."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode('ascii')}\a"
