"""Finds the git repository of a workspace, and the ignore files that git reads from outside the work tree.

Choices: no git process is started. `core.excludesFile` is read from the system, user and repository configuration in that
order; the last one wins, as in git. `[include]`, and `[includeIf]` by the place of the repository, apply in the user's own
files only. The repository's configuration is untrusted input: only the name of that file is used, and of the file only the
patterns.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.files.ignore import read_start
from retrieval.globs.wildmatch import to_regex, tokenize

MAX_CONFIG_BYTES = 256 * 1024
MAX_INCLUDES = 10  # nested includes, as in git
_POINTER_BYTES = 8192  # of a file that contains the path of a directory

_NAME_BYTES = {"sha1": 20, "sha256": 32}  # of an object, by extensions.objectFormat
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:[ \t]+"((?:[^"\\]|\\.)*)")?\s*\](.*)', re.DOTALL)
_VALUE = re.compile(r"\s*([A-Za-z][\w-]*)[ \t]*=(.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Repository:
    """The top of the work tree, the git directory that all its work trees share, and the one of this work tree."""

    top: Path
    directory: Path
    own_directory: Path

    @property
    def index(self) -> Path:
        return self.own_directory / "index"

    @property
    def is_linked_worktree(self) -> bool:
        return self.own_directory != self.directory

    def name_bytes(self) -> int:
        """The length of an object's name in the index."""
        return _NAME_BYTES.get(_setting_of(self, "extensions", "objectformat") or "", 20)

    def exclude_files(self) -> list[Path]:
        """Ignore files outside the work tree, in git's order of precedence."""
        files = [self.directory / "info" / "exclude"]
        excludes_file = _repository_excludes_file(self) or _user_excludes_file(self)
        return [*files, excludes_file] if excludes_file else files


def find_repository(root: Path) -> Repository | None:
    """The repository that contains `root`."""
    for top in (root, *root.parents):
        try:
            repository = repository_at(top)
        except OSError:
            return None
        if repository is not None:
            return repository
    return None


def repository_at(top: Path) -> Repository | None:
    """The repository whose work tree begins at `top`. Raises OSError."""
    marker = top / ".git"
    if marker.is_dir():
        return Repository(top, marker, marker)
    if marker.is_file():
        return Repository(top, *_linked_git_directories(top, marker))
    return None


def _linked_git_directories(top: Path, marker: Path) -> tuple[Path, Path]:
    """Worktrees and submodules have a `.git` file with the path of the directory; worktrees share the main one's `info`."""
    target = _first_line(marker).removeprefix("gitdir:").strip()
    try:
        if _is_network_path(target):
            return marker, marker
        directory = (top / target).resolve()
        common = _first_line(directory / "commondir")
        if _is_network_path(common):
            return directory, directory
        return ((directory / common).resolve() if common else directory), directory
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return marker, marker


def _is_network_path(path: str) -> bool:
    """Opening a network share would log in there (Windows)."""
    return path.startswith(("//", "\\\\"))


def _first_line(path: Path) -> str:
    return (read_start(path, _POINTER_BYTES, follow=True) or b"").decode(errors="replace").strip()


def _repository_excludes_file(repository: Repository) -> Path | None:
    """From the repository's configuration."""
    value = _setting_of(repository, "core", "excludesfile")
    if not value or _is_network_path(value):
        return None
    return _path(value, repository.top)


def _setting_of(repository: Repository, section: str, name: str) -> str | None:
    """A setting of the repository, or of this work tree where those are in use."""
    setting = worktree_setting = None
    uses_worktree_file = False
    for found_section, found_name, value in _entries_of(repository.directory / "config"):
        if (found_section, found_name) == (section, name):
            setting = value
        elif (found_section, found_name) == ("extensions", "worktreeconfig"):
            uses_worktree_file = value.lower() in ("true", "yes", "on", "1")
    if uses_worktree_file:
        for found_section, found_name, value in _entries_of(repository.own_directory / "config.worktree"):
            if (found_section, found_name) == (section, name):
                worktree_setting = value
    return worktree_setting or setting


def _user_excludes_file(repository: Repository) -> Path | None:
    home = _home()
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")  # noqa: PTH118
    excludes_name = None
    for file in _user_configurations(home, base):
        excludes_name = _excludes_file_in(file, repository) or excludes_name
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


def _excludes_file_in(file: Path, repository: Repository, depth: int = 0) -> str | None:
    """The last `core.excludesFile` of a configuration file of the user and of those that it includes."""
    excludes_file = None
    for section, name, value in _entries_of(file):
        if (section, name) == ("core", "excludesfile"):
            excludes_file = value
        elif name == "path" and value and depth < MAX_INCLUDES and _includes(section, file, repository):
            excludes_file = _excludes_file_in(_path(value, file.parent), repository, depth + 1) or excludes_file
    return excludes_file


def _includes(section: str, file: Path, repository: Repository) -> bool:
    """Whether a section of a user's file includes another file, for this repository."""
    kind, _, condition = section.partition(".")
    if kind == "include":
        return not condition
    keyword, _, pattern = condition.partition(":")
    if kind != "includeif" or keyword not in ("gitdir", "gitdir/i") or not pattern:
        return False
    if pattern.startswith("./"):
        pattern = file.resolve().parent.as_posix() + pattern[1:]
    elif pattern == "~" or pattern.startswith("~/"):
        pattern = _home() + pattern[1:]
    elif not Path(pattern).is_absolute():
        pattern = "**/" + pattern
    pattern += "**" if pattern.endswith("/") else ""
    tokens = tokenize(pattern.removeprefix("/"), True)
    if tokens is None:
        return False
    expression = re.compile(to_regex(tokens), re.DOTALL | (re.IGNORECASE if keyword.endswith("/i") else 0))
    directories = (repository.own_directory, repository.own_directory.resolve())
    return any(expression.fullmatch(directory.as_posix().removeprefix("/")) for directory in directories)


def _entries_of(file: Path) -> Iterator[tuple[str, str, str]]:
    data = read_start(file, MAX_CONFIG_BYTES, follow=True)
    return _entries(data.decode("utf-8-sig", "surrogateescape")) if data is not None else iter(())


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
            kept_length = len(parts)  # blanks before a continuation are of the value
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
            if parts:  # blanks before a value are not of it, on a continued line either
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
