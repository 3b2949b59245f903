"""Finds the git repository of a workspace, and the ignore files that git reads from outside the work tree.

Choices: no git process is started. `core.excludesFile` is read from the system, user and repository configuration in that
order; the last one wins, as in git. `[include]` applies in the user's own files only; conditional includes and
`config.worktree` are not supported. The repository's configuration is untrusted input: only this one file name is used,
and of that file only the patterns.
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
MAX_INCLUDES = 10  # nested includes, as in git
_POINTER_BYTES = 8192  # of a file that contains the path of a directory

_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?\s*\](.*)', re.DOTALL)
_VALUE = re.compile(r"\s*([A-Za-z][\w-]*)[ \t]*=(.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Repository:
    """The top of the work tree, and the git directory that all work trees share."""

    top: Path
    directory: Path

    def exclude_files(self) -> list[Path]:
        """Ignore files outside the work tree, in git's order of precedence."""
        files = [self.directory / "info" / "exclude"]
        excludes_file = _repository_excludes_file(self) or _user_excludes_file()
        return [*files, excludes_file] if excludes_file else files


def find_repository(root: Path) -> Repository | None:
    """The repository that contains `root`."""
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
    """Worktrees and submodules have a `.git` file with the path of the directory; worktrees share the main one's `info`."""
    target = _first_line(marker).removeprefix("gitdir:").strip()
    try:
        directory = (top / target).resolve()
        common = _first_line(directory / "commondir")
        return (directory / common).resolve() if common else directory
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return marker


def _first_line(path: Path) -> str:
    return (read_start(path, _POINTER_BYTES, follow=True) or b"").decode(errors="replace").strip()


def _repository_excludes_file(repository: Repository) -> Path | None:
    """From the repository's configuration. No network shares: opening one would log in there (Windows)."""
    value = _excludes_file_in(repository.directory / "config", includes=MAX_INCLUDES)
    if not value or value.startswith(("//", "\\\\")):
        return None
    return _path(value, repository.top)


def _user_excludes_file() -> Path | None:
    home = _home()
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")  # noqa: PTH118
    excludes_name = None
    for file in _user_configurations(home, base):
        excludes_name = _excludes_file_in(file) or excludes_name
    return _path(excludes_name, Path(home)) if excludes_name else Path(base, "git", "ignore")


def _user_configurations(home: str, base: str) -> Iterator[Path]:
    if os.environ.get("GIT_CONFIG_NOSYSTEM", "").lower() not in ("1", "true", "yes", "on"):
        system = os.environ.get("GIT_CONFIG_SYSTEM")
        if system or sys.platform != "win32":
            yield Path(system or "/etc/gitconfig")
    excludes_file = os.environ.get("GIT_CONFIG_GLOBAL")
    if excludes_file is not None:
        yield Path(excludes_file)
        return
    yield Path(base, "git", "config")
    yield Path(home, ".gitconfig")


def _excludes_file_in(file: Path, includes: int = 0) -> str | None:
    """The last `core.excludesFile` of a configuration file; `includes` is the include depth."""
    data = read_start(file, MAX_CONFIG_BYTES, follow=True)
    if data is None:
        return None
    excludes_file = None
    for section, name, value in _entries(data.decode("utf-8-sig", "surrogateescape")):
        if (section, name) == ("core", "excludesfile"):
            excludes_file = value
        elif (section, name) == ("include", "path") and includes < MAX_INCLUDES and value:
            excludes_file = _excludes_file_in(_path(value, file.parent), includes + 1) or excludes_file
    return excludes_file


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each line that has a value. A subsection is appended after a dot."""
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
    """A value without quotes, escapes and comment; a backslash at the end continues on the next line."""
    parts: list[str] = []
    quoted, kept_length, at = False, 0, 0  # `kept_length`: number of parts without trailing blanks
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
        kept_length = len(parts)
    return "".join(parts[:kept_length])


def _path(value: str, base: Path) -> Path:
    if value == "~" or value.startswith("~/"):
        return Path(_home() + value[1:])
    return base / os.path.expanduser(value)  # noqa: PTH111 - another user's home; unchanged if there is none


def _home() -> str:
    """As git does: HOME on Windows too, where Python ignores it."""
    return os.environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
