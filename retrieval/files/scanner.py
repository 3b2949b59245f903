"""Scans a workspace: which files are indexed, and which of them changed.

Precedence, the first match wins: secrets and version control (always excluded) > extra excludes of the settings >
`.c2llmignore` > the default excludes > `.gitignore` (nearest first), `.git/info/exclude`, git's `core.excludesFile`. A
negation in `.gitignore` does not override a default exclude (`!*/` is common and would include node_modules); one in
`.c2llmignore` does. What git tracks, no rule of git excludes, and neither does the name of a folder of build output.
Symbolic links are skipped: a link to a file inside would be a duplicate, others point outside, and loops cannot occur.
Names that are not UTF-8 are skipped and counted: JSON cannot represent them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from retrieval.errors import WorkspaceError
from retrieval.files.default_excludes import (
    ALWAYS_EXCLUDED,
    BUILD_OUTPUT,
    MARKER_ENTRIES,
    SECRET,
    VCS_DIRECTORIES,
    VERSION_CONTROL,
    directory_skip_reason,
    file_skip_reason,
)
from retrieval.files.file_reader import MAX_BYTES, MOST_BYTES, UNSETTLED, FileStamp, failure
from retrieval.files.folder_rules import FolderRules, RuleReader
from retrieval.files.open_inside import is_link
from retrieval.files.secret_names import SECRET_DIRECTORIES
from retrieval.globs import RuleSet, decide
from retrieval.private_files import is_own_entry
from retrieval.types import Skip

MAX_DEPTH = 200  # folders; deeper trees are mistakes or attacks, and path lengths end near there anyway
BYTECODE_FOLDER = "__pycache__"  # next to every package: excluded without a report, as version control is
OWN_CACHE = "cache of c2llm"
MAX_IGNORED_FOLDERS = 1_000  # that a scan names; the rest is counted
_WINDOWS = os.name == "nt"
IGNORED = "ignored"  # by a pattern of the user: counted; of folders the names are kept
WORKTREE = "another work tree of the same repository"
REINCLUDED = "re-included"  # by a negation in `.c2llmignore`: what is in the file does not exclude it either
TRACKED_ONLY = "tracked"  # by git, although excluded: a folder is entered for its tracked files alone
_INCLUDED = (None, REINCLUDED, TRACKED_ONLY)


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan. `skipped` lists files and folders excluded by a rule of this program or an error; those that the
    user's patterns exclude are counted in `ignored`."""

    stamps: dict[str, FileStamp]
    changed: tuple[str, ...]  # new or different from the earlier scan, sorted
    removed: tuple[str, ...]  # no longer present, sorted
    skipped: list[Skip] = field(default_factory=list)
    ignored: int = 0  # files and folders excluded by ignore files, without the contents of such folders
    reincluded: tuple[
        str, ...
    ] = ()  # files that a negation in `.c2llmignore` names: their content excludes them neither
    directories: int = 0
    seconds: float = 0.0
    ignored_folders: tuple[str, ...] = ()  # some of those that are counted in `ignored`


class Scanner:
    """Scans one root. Caches only compiled ignore files between scans."""

    def __init__(
        self,
        root: Path,
        *,
        extra_excludes: Iterable[str] = (),
        max_bytes: int = MAX_BYTES,
        cache: Path | None = None,
    ) -> None:
        """`cache`: the folder of the indexes, which is never indexed itself."""
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise WorkspaceError(f"'{root}' is not a directory, or does not exist: give the folder to index.")
        self.max_bytes = max_bytes
        self._extra = RuleSet(extra_excludes)
        self._cache = _inside(self.root, cache)
        self._rules = RuleReader(self.root)

    def scan(self, known: Mapping[str, FileStamp] | None = None) -> Scan:
        """All files to index with their stamps, compared with those of an earlier scan."""
        started = time.perf_counter()
        walk = _ScanRun(self, known or {})
        walk.run()
        known_paths = known.keys() if known else ()
        removed = sorted(path for path in known_paths if path not in walk.stamps)
        return Scan(
            walk.stamps, tuple(sorted(walk.changed)), tuple(removed), walk.skipped, walk.ignored, tuple(walk.reincluded),
            walk.directories, time.perf_counter() - started, tuple(walk.ignored_folders),
        )  # fmt: skip

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        """Whether `path` (relative to the root), or a folder above it, is excluded."""
        return self.path_filter().ignores(path, is_dir)

    def reincludes(self, path: str) -> bool:
        """Whether a negation in `.c2llmignore` names this file."""
        return self.path_filter().reincludes(path)

    def tracked_changed(self) -> bool:
        """Whether git tracks other files than when that was last asked for."""
        return self._rules.tracked_changed()

    def path_filter(self) -> PathFilter:
        """A filter for many paths at one point in time: it caches the rules of each folder."""
        return PathFilter(self)

    def _verdict(  # noqa: PLR0911 - one for each step of the precedence
        self, path: str, name: str, is_directory: bool, siblings: _Siblings, rules_here: FolderRules
    ) -> str | None:
        """Why an entry is excluded, None if it is included; REINCLUDED and TRACKED_ONLY are included too."""
        reason: str | None = None
        if self._cache is not None and (path == self._cache if self._cache else path == name and is_own_entry(name)):
            return OWN_CACHE
        if is_directory:
            if name in VCS_DIRECTORIES or name in SECRET_DIRECTORIES:
                return SECRET if name in SECRET_DIRECTORIES else VERSION_CONTROL
        elif (reason := file_skip_reason(path)) in ALWAYS_EXCLUDED:
            return reason
        verdict = self._extra.decide(path, name, is_directory) if self._extra else None
        if verdict is None and rules_here.own:
            verdict = decide(rules_here.own, path, name, is_directory)
        if verdict is not None:
            return IGNORED if verdict else REINCLUDED
        if is_directory:
            reason = directory_skip_reason(name, siblings)
        if reason is not None and reason != BUILD_OUTPUT:
            return reason
        if reason is None and not rules_here.git_ignores(path, name, is_directory):
            return None
        return TRACKED_ONLY if self._rules.is_tracked(path, is_directory, rules_here) else reason or IGNORED


_Siblings = Mapping[str, object] | frozenset[str]
_Folder = tuple[str, str | None, FolderRules, int]  # a folder, its verdict, the rules above it, its depth


class PathFilter:
    """Applies the ignore rules to single paths. Short-lived: it does not see changes after it has read a folder."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._folders: dict[str, tuple[FolderRules, frozenset[str]] | None] = {}

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        return self._verdict(path, is_dir) not in _INCLUDED

    def reincludes(self, path: str) -> bool:
        """Whether a negation in `.c2llmignore` names this file."""
        return self._verdict(path, False) is REINCLUDED

    def _verdict(self, path: str, is_dir: bool) -> str | None:
        folder, slash, name = path.rpartition("/")
        if not name or path.count("/") > MAX_DEPTH or not _is_text(path):
            return IGNORED if path else None
        context = self._enter(folder + slash)
        if context is None:
            return IGNORED
        rules_here, siblings = context
        return self._scanner._verdict(path, name, is_dir, siblings, rules_here)

    def _enter(self, folder: str) -> tuple[FolderRules, frozenset[str]] | None:
        """Rules and entries of a folder ("" or ending in "/"); None if it is excluded."""
        if folder in self._folders:
            return self._folders[folder]
        context: tuple[FolderRules, frozenset[str]] | None = None
        if not folder:
            context = (self._scanner._rules.root_rules(), self._entries(""))
        elif (verdict := self._verdict(folder[:-1], True)) in _INCLUDED:
            inherited = self._folders[folder[:-1].rpartition("/")[0] + "/" if "/" in folder[:-1] else ""]
            entries = self._entries(folder)
            if inherited is not None and (verdict is REINCLUDED or MARKER_ENTRIES.isdisjoint(entries)):
                rules_above = _rules_for(verdict, inherited[0])
                rules_here = self._scanner._rules.rules_inside(folder, rules_above, entries)
                context = (rules_here, entries) if rules_here is not None else None
        self._folders[folder] = context
        return context

    def _entries(self, folder: str) -> frozenset[str]:
        try:
            with os.scandir(f"{self._scanner.root}/{folder}") as listing:
                return frozenset(entry.name for entry in listing)
        except OSError:  # missing or unreadable: decide by the names on the path alone
            return frozenset()


def _rules_for(verdict: str | None, rules_above: FolderRules) -> FolderRules:
    """The rules inherited by an included folder."""
    if verdict is TRACKED_ONLY:
        return replace(rules_above, only_tracked=True)
    return replace(rules_above, only_tracked=False) if verdict is REINCLUDED else rules_above


class _ScanRun:
    """A scan in progress."""

    def __init__(self, scanner: Scanner, previous: Mapping[str, FileStamp]) -> None:
        self.scanner, self.previous = scanner, previous
        self.stamps: dict[str, FileStamp] = {}
        self.changed: list[str] = []
        self.skipped: list[Skip] = []
        self.reincluded: list[str] = []
        self.ignored = self.directories = 0
        self.ignored_folders: list[str] = []
        self.now = time.time_ns()

    def run(self) -> None:
        rules = self.scanner._rules
        pending: list[_Folder] = [("", None, rules.root_rules(self.skipped), 0)]
        while pending:
            folder, verdict, inherited, depth = pending.pop()
            try:
                with os.scandir(f"{self.scanner.root}/{folder}") as listing:
                    entries = {entry.name: entry for entry in listing}
            except OSError as error:
                self.skipped.append(Skip(folder.rstrip("/"), f"unreadable: {error.strerror}"))
                continue
            self.directories += 1
            rules_here: FolderRules | None = inherited
            if folder:
                if verdict is not REINCLUDED and not entries.keys().isdisjoint(MARKER_ENTRIES):
                    self.skipped.append(Skip(folder.rstrip("/"), "environment or cache"))
                    continue
                rules_here = rules.rules_inside(folder, _rules_for(verdict, inherited), entries.keys(), self.skipped)
            if rules_here is None:
                self.skipped.append(Skip(folder.rstrip("/"), WORKTREE))
                continue
            for inside, reason in self._visit(folder, entries, rules_here, depth):
                pending.append((inside, reason, rules_here, depth + 1))

    def _visit(
        self, folder: str, entries: dict[str, os.DirEntry[str]], rules_here: FolderRules, depth: int
    ) -> list[tuple[str, str | None]]:
        """Add the files of one directory; return the directories to enter, each with its verdict."""
        inside: list[tuple[str, str | None]] = []
        rules = bool(
            rules_here.git
            or rules_here.own
            or rules_here.only_tracked
            or self.scanner._extra
            or self.scanner._cache == ""
        )
        for name, entry in entries.items():
            path = folder + name
            try:
                if not name.isascii() and not _is_text(name):
                    self.skipped.append(Skip(path.encode("utf-8", "replace").decode(), "name is not UTF-8"))
                elif entry.is_file(follow_symlinks=False):
                    verdict = (
                        self.scanner._verdict(path, name, False, entries, rules_here)
                        if rules
                        else file_skip_reason(path)
                    )
                    if verdict in _INCLUDED:
                        self._add_file(path, entry, verdict)
                    else:
                        self._exclude(path, verdict)
                elif entry.is_dir(follow_symlinks=False) and not _is_junction(entry):
                    verdict = self.scanner._verdict(path, name, True, entries, rules_here)
                    if verdict in _INCLUDED and depth < MAX_DEPTH:
                        inside.append((path + "/", verdict))
                    else:
                        self._exclude_folder(path, "too deep" if verdict in _INCLUDED else verdict)
                else:
                    self.skipped.append(
                        Skip(path, "link" if entry.is_symlink() or _is_junction(entry) else "not a regular file")
                    )
            except FileNotFoundError:  # deleted since the listing
                continue
            except OSError as error:
                self.skipped.append(Skip(path, f"unreadable: {error.strerror}"))
            except (ValueError, ArithmeticError) as error:
                self.skipped.append(Skip(path, failure(error)))
        return inside

    def _exclude_folder(self, path: str, reason: str | None) -> None:
        if reason is IGNORED and len(self.ignored_folders) < MAX_IGNORED_FOLDERS:
            self.ignored_folders.append(path)
        self._exclude(path, reason)

    def _exclude(self, path: str, reason: str | None) -> None:
        if reason is IGNORED:
            self.ignored += 1
        elif reason is not None and reason != VERSION_CONTROL and not path.endswith(BYTECODE_FOLDER):
            self.skipped.append(Skip(path, reason))

    def _add_file(self, path: str, entry: os.DirEntry[str], verdict: str | None) -> None:
        status = entry.stat(follow_symlinks=False)
        limit = self.scanner.max_bytes
        if status.st_size > (max(limit, MOST_BYTES) if verdict is REINCLUDED else limit):
            self.skipped.append(Skip(path, "too large"))
            return
        if verdict is REINCLUDED:
            self.reincluded.append(path)
        stamp = self.stamps[path] = FileStamp.of(status, self.now)
        if self.previous.get(path) != stamp or stamp.mtime_ns == UNSETTLED:
            self.changed.append(path)


def _inside(root: Path, cache: Path | None) -> str | None:
    """The path of the cache folder in the workspace: "" where it is the root itself, None outside."""
    if cache is None:
        return None
    real = Path(os.path.realpath(cache))
    if real == root:
        return ""
    return real.relative_to(root).as_posix() if root in real.parents else None


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """Whether this is a folder of Windows that is another one, which is no link to `is_symlink`."""
    return _WINDOWS and is_link(entry.stat(follow_symlinks=False))
