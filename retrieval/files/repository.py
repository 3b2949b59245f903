"""The git repository around a workspace, and the ignore files that git names outside of its work tree.

Choices: no git process is started. `core.excludesFile` is read from the system's, the user's and the repository's
configuration in that order, the last one wins, as in git; `[include]` counts in the user's own files alone, conditional
includes and `config.worktree` do not count. The repository's configuration is hostile input: of it nothing but this one
name of a file is used, and of that file nothing but patterns.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.files.ignore import read_start

MAX_CONFIG_BYTES = 256 * 1024
MAX_INCLUDES = 10  # one inside the other, as in git
_POINTER_BYTES = 8192  # of a file that names a directory

_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?\s*\](.*)', re.DOTALL)
_VALUE = re.compile(r"\s*([A-Za-z][\w-]*)[ \t]*=(.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Repository:
    """Where its work tree begins, and the git directory that its work trees share."""

    top: Path
    directory: Path

    def exclude_files(self) -> list[Path]:
        """Ignore files outside of the work tree, those first that git asks first."""
        files = [self.directory / "info" / "exclude"]
        chosen = _own_excludes_file(self) or _users_excludes_file()
        return [*files, chosen] if chosen else files


def find_repository(root: Path) -> Repository | None:
    """The repository that `root` lies in."""
    for top in (root, *root.parents):
        marker = top / ".git"
        try:
            if marker.is_dir():
                return Repository(top, marker)
            if marker.is_file():
                return Repository(top, _linked_git_directory(top, marker))
        except OSError:
            return None
    return None


def _linked_git_directory(top: Path, marker: Path) -> Path:
    """Worktrees and submodules have a `.git` file that names the directory; worktrees share their main one's `info`."""
    target = _line_of(marker).removeprefix("gitdir:").strip()
    try:
        directory = (top / target).resolve()
        common = _line_of(directory / "commondir")
        return (directory / common).resolve() if common else directory
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return marker


def _line_of(path: Path) -> str:
    return (read_start(path, _POINTER_BYTES, follow=True) or b"").decode(errors="replace").strip()


def _own_excludes_file(repository: Repository) -> Path | None:
    """What the repository's configuration names. No share of the network: opening one would log in there (Windows)."""
    value = _excludes_file_in(repository.directory / "config", includes=MAX_INCLUDES)
    if not value or value.startswith(("//", "\\\\")):
        return None
    return _path(value, repository.top)


def _users_excludes_file() -> Path | None:
    home = _home()
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")  # noqa: PTH118
    named = None
    for file in _user_configurations(home, base):
        named = _excludes_file_in(file) or named
    return _path(named, Path(home)) if named else Path(base, "git", "ignore")


def _user_configurations(home: str, base: str) -> Iterator[Path]:
    if os.environ.get("GIT_CONFIG_NOSYSTEM", "").lower() not in ("1", "true", "yes", "on"):
        system = os.environ.get("GIT_CONFIG_SYSTEM")
        if system or sys.platform != "win32":
            yield Path(system or "/etc/gitconfig")
    chosen = os.environ.get("GIT_CONFIG_GLOBAL")
    if chosen is not None:
        yield Path(chosen)
        return
    yield Path(base, "git", "config")
    yield Path(home, ".gitconfig")


def _excludes_file_in(file: Path, includes: int = 0) -> str | None:
    """The last `core.excludesFile` of a configuration file; `includes` is how deep in includes it lies."""
    data = read_start(file, MAX_CONFIG_BYTES, follow=True)
    if data is None:
        return None
    found = None
    for section, name, value in _entries(data.decode("utf-8-sig", "surrogateescape")):
        if (section, name) == ("core", "excludesfile"):
            found = value
        elif (section, name) == ("include", "path") and includes < MAX_INCLUDES and value:
            found = _excludes_file_in(_path(value, file.parent), includes + 1) or found
    return found


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each line that has a value. Sections with a subsection have it behind a dot."""
    section = ""
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        rest = line
        if header := _SECTION.fullmatch(line):
            section = header[1].lower() + (f".{header[2]}" if header[2] is not None else "")
            rest = header[3]
        if entry := _VALUE.fullmatch(rest):
            yield section, entry[1].lower(), _value(entry[2], lines)


def _value(text: str, lines: Iterator[str]) -> str:
    """A value without quotes, escapes and comment; a backslash at the end of the line goes on in the next one."""
    parts: list[str] = []
    quoted, kept, at = False, 0, 0  # `kept`: how many parts stay when trailing blanks go
    text = text.lstrip()
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if at == len(text):
                text, at = next(lines, ""), 0
                continue
            char = _ESCAPES.get(text[at], text[at])
            at += 1
        elif char == '"':
            quoted = not quoted
            continue
        elif char in "#;" and not quoted:
            break
        elif char.isspace() and not quoted:
            parts.append(char)
            continue
        parts.append(char)
        kept = len(parts)
    return "".join(parts[:kept])


def _path(value: str, base: Path) -> Path:
    if value == "~" or value.startswith("~/"):
        return Path(_home() + value[1:])
    return base / os.path.expanduser(value)  # noqa: PTH111 - another user's home; as it stands where there is none


def _home() -> str:
    """As git has it: HOME on Windows too, where Python would not look there."""
    return os.environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
