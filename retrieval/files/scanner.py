"""Scans a workspace: which files are indexed, and which of them changed.

Precedence, the first match wins: secrets and version control (always excluded) > extra excludes of the settings >
`.c2llmignore` > the default excludes > `.gitignore` (nearest first), `.git/info/exclude`, git's `core.excludesFile`. A
negation in `.gitignore` does not override a default exclude (`!*/` is common and would include node_modules); one in
`.c2llmignore` does.
Symbolic links are skipped: a link to a file inside would be a duplicate, others point outside, and loops cannot occur.
Names that are not UTF-8 are skipped and counted: JSON cannot represent them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import WorkspaceError
from retrieval.files.default_excludes import (
    ALWAYS_EXCLUDED,
    MARKER_ENTRIES,
    SECRET,
    VCS_DIRECTORIES,
    VERSION_CONTROL,
    directory_skip_reason,
    file_skip_reason,
)
from retrieval.files.file_reader import MAX_BYTES, UNSETTLED, FileStamp, failure
from retrieval.files.ignore import GIT_IGNORE, IGNORE_FILES, TRUNCATED, read_rules
from retrieval.files.repository import find_repository
from retrieval.files.secret_names import SECRET_DIRECTORIES
from retrieval.globs import MAX_RULES, MAX_WILDCARDS, RuleSet, decide
from retrieval.private_files import is_own_entry
from retrieval.types import Skip

MAX_DEPTH = 200  # folders; deeper trees are mistakes or attacks, and path lengths end near there anyway
# Wildcard characters, and rules, that may apply inside one folder: as many as two ignore files may have.
MAX_WILDCARD_WEIGHT = 2 * MAX_WILDCARDS
MAX_APPLICABLE_RULES = 2 * MAX_RULES
MAX_CACHED_RULES = 200_000  # compiled rules cached between scans: about 60 MB
BYTECODE_FOLDER = "__pycache__"  # next to every package: excluded without a report, as version control is
OWN_CACHE = "cache of c2llm"
IGNORED = "ignored"  # by a pattern of the user: counted, not listed


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan. `skipped` lists files and folders excluded by a rule of this program or an error; those that the
    user's patterns exclude are counted in `ignored`."""

    stamps: dict[str, FileStamp]
    changed: tuple[str, ...]  # new or different from the earlier scan, sorted
    removed: tuple[str, ...]  # no longer present, sorted
    skipped: list[Skip] = field(default_factory=list)
    ignored: int = 0  # files and folders excluded by ignore files, without the contents of such folders
    directories: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _ApplicableRules:
    """The rules of the ignore files that apply inside one directory, nearest first."""

    git: tuple[RuleSet, ...]
    own: tuple[RuleSet, ...]

    def with_rules(self, name: str, rules: RuleSet) -> _ApplicableRules:
        """With the rules of one more ignore file called `name`, which takes precedence."""
        return (
            _ApplicableRules((rules, *self.git), self.own)
            if name == GIT_IGNORE
            else _ApplicableRules(self.git, (rules, *self.own))
        )

    def has_room(self, rules: RuleSet) -> bool:
        """Whether these rules may apply too: the cost of many nested folders with many rules each would add up."""
        applying = (*self.git, *self.own, rules)
        return (
            sum(map(len, applying)) <= MAX_APPLICABLE_RULES
            and sum(each.weight for each in applying) <= MAX_WILDCARD_WEIGHT
        )


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
        self._rules: dict[str, tuple[tuple[int, int, int], RuleSet | None]] = {}
        self._cached_count = 0  # number of cached rules

    def scan(self, known: Mapping[str, FileStamp] | None = None) -> Scan:
        """All files to index with their stamps, compared with those of an earlier scan."""
        started = time.perf_counter()
        walk = _ScanRun(self, known or {})
        walk.run()
        known_paths = known.keys() if known else ()
        removed = sorted(path for path in known_paths if path not in walk.stamps)
        return Scan(
            walk.stamps, tuple(sorted(walk.changed)), tuple(removed), walk.skipped, walk.ignored, walk.directories,
            time.perf_counter() - started,
        )  # fmt: skip

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        """Whether `path` (relative to the root), or a folder above it, is excluded."""
        return self.path_filter().ignores(path, is_dir)

    def path_filter(self) -> PathFilter:
        """A filter for many paths at one point in time: it caches the rules of each folder."""
        return PathFilter(self)

    def _skip_reason(
        self, path: str, name: str, is_directory: bool, siblings: _Siblings, rules_here: _ApplicableRules
    ) -> str | None:
        """Why an entry is excluded, None if it is included."""
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
            return IGNORED if verdict else None
        if is_directory:
            reason = directory_skip_reason(name, siblings)
        if reason is not None:
            return reason
        return IGNORED if rules_here.git and decide(rules_here.git, path, name, is_directory) else None

    def _root_rules(self, notes: list[Skip] | None = None) -> _ApplicableRules:
        """Rules from above the root (down from the top of its repository) and of the root itself."""
        rules_here = _ApplicableRules((), ())
        repository = find_repository(self.root)
        if repository is not None:
            inside = os.path.relpath(self.root, repository.top).replace(os.sep, "/")
            prefix = "" if inside == "." else inside + "/"
            files = [(file, "", True) for file in reversed(repository.exclude_files())]
            folders = prefix.split("/")[:-1]
            for depth in range(len(folders)):
                base = "".join(folder + "/" for folder in folders[:depth])
                files.append((repository.top / base / GIT_IGNORE, base, False))
            for file, base, follow in files:  # the nearest comes last and takes precedence
                rules = self._cached_rules(str(file), base, follow)
                if rules and self._has_room(rules_here, rules, str(file), notes):
                    rules_here = rules_here.with_rules(GIT_IGNORE, _PrefixedRules(rules, prefix))
        return self._rules_inside("", rules_here, IGNORE_FILES, notes)

    def _rules_inside(
        self, folder: str, inherited: _ApplicableRules, names: Iterable[str], notes: list[Skip] | None = None
    ) -> _ApplicableRules:
        """The rules inside `folder` ("" or ending in "/"); `names` are its entries.

        Rules that are not applied are reported in `notes`.
        """
        rules_here = inherited
        for name in IGNORE_FILES:
            if name in names and (rules := self._cached_rules(f"{self.root}/{folder}{name}", folder)):
                if not self._has_room(rules_here, rules, folder + name, notes):
                    continue
                rules_here = rules_here.with_rules(name, rules)
        return rules_here

    def _has_room(self, rules_here: _ApplicableRules, rules: RuleSet, path: str, notes: list[Skip] | None) -> bool:
        has_room = rules_here.has_room(rules)
        if notes is not None and (rules.dropped or not has_room):
            notes.append(Skip(path, TRUNCATED))
        return has_room

    def _cached_rules(self, path: str, base: str, follow: bool = False) -> RuleSet | None:
        try:
            status = os.stat(path) if follow else os.lstat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        key = (status.st_size, status.st_mtime_ns, status.st_ino)
        cached = self._rules.get(path)
        if cached is None or cached[0] != key:
            rules = read_rules(Path(path), base, follow=follow)
            self._cached_count += len(rules or ())
            if self._cached_count > MAX_CACHED_RULES:
                self._rules.clear()
                self._cached_count = len(rules or ())
            cached = self._rules[path] = (key, rules)
        return cached[1]


_Siblings = Mapping[str, object] | frozenset[str]


class PathFilter:
    """Applies the ignore rules to single paths. Short-lived: it does not see changes after it has read a folder."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._folders: dict[str, tuple[_ApplicableRules, frozenset[str]] | None] = {}

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        folder, slash, name = path.rpartition("/")
        if not name or path.count("/") > MAX_DEPTH or not _is_text(path):
            return bool(path)
        context = self._enter(folder + slash)
        if context is None:
            return True
        rules_here, siblings = context
        return self._scanner._skip_reason(path, name, is_dir, siblings, rules_here) is not None

    def _enter(self, folder: str) -> tuple[_ApplicableRules, frozenset[str]] | None:
        """Rules and entries of a folder ("" or ending in "/"); None if it is excluded."""
        if folder in self._folders:
            return self._folders[folder]
        context: tuple[_ApplicableRules, frozenset[str]] | None = None
        if not folder:
            context = (self._scanner._root_rules(), self._entries(""))
        elif not self.ignores(folder[:-1], True):
            inherited = self._folders[folder[:-1].rpartition("/")[0] + "/" if "/" in folder[:-1] else ""]
            entries = self._entries(folder)
            if inherited is not None and MARKER_ENTRIES.isdisjoint(entries):
                context = (self._scanner._rules_inside(folder, inherited[0], entries), entries)
        self._folders[folder] = context
        return context

    def _entries(self, folder: str) -> frozenset[str]:
        try:
            with os.scandir(f"{self._scanner.root}/{folder}") as listing:
                return frozenset(entry.name for entry in listing)
        except OSError:  # missing or unreadable: decide by the names on the path alone
            return frozenset()


class _PrefixedRules(RuleSet):
    """Rules of a directory above the root: paths are prefixed with the root's path before matching."""

    __slots__ = ("_inner", "_prefix")

    def __init__(self, rules: RuleSet, prefix: str) -> None:
        super().__init__((), "")
        self._inner, self._prefix = rules, prefix
        self.weight, self.dropped = rules.weight, rules.dropped

    def __len__(self) -> int:
        return len(self._inner)

    def decide(self, path: str, name: str, is_directory: bool) -> bool | None:
        return self._inner.decide((self._prefix + path)[len(self._inner.base) :], name, is_directory)


class _ScanRun:
    """A scan in progress."""

    def __init__(self, scanner: Scanner, previous: Mapping[str, FileStamp]) -> None:
        self.scanner, self.previous = scanner, previous
        self.stamps: dict[str, FileStamp] = {}
        self.changed: list[str] = []
        self.skipped: list[Skip] = []
        self.ignored = self.directories = 0
        self.now = time.time_ns()

    def run(self) -> None:
        pending: list[tuple[str, _ApplicableRules, int]] = [("", self.scanner._root_rules(self.skipped), 0)]
        while pending:
            folder, inherited, depth = pending.pop()
            try:
                with os.scandir(f"{self.scanner.root}/{folder}") as listing:
                    entries = {entry.name: entry for entry in listing}
            except OSError as error:
                self.skipped.append(Skip(folder.rstrip("/"), f"unreadable: {error.strerror}"))
                continue
            self.directories += 1
            if folder:
                if not entries.keys().isdisjoint(MARKER_ENTRIES):
                    self.skipped.append(Skip(folder.rstrip("/"), "environment or cache"))
                    continue
                inherited = self.scanner._rules_inside(folder, inherited, entries, self.skipped)
            pending.extend((inside, inherited, depth + 1) for inside in self._visit(folder, entries, inherited, depth))

    def _visit(
        self, folder: str, entries: dict[str, os.DirEntry[str]], rules_here: _ApplicableRules, depth: int
    ) -> list[str]:
        """Add the files of one directory; return the directories to enter."""
        inside: list[str] = []
        rules = bool(rules_here.git or rules_here.own or self.scanner._extra or self.scanner._cache == "")
        for name, entry in entries.items():
            path = folder + name
            try:
                if not name.isascii() and not _is_text(name):
                    self.skipped.append(Skip(path.encode("utf-8", "replace").decode(), "name is not UTF-8"))
                elif entry.is_file(follow_symlinks=False):
                    reason = (
                        self.scanner._skip_reason(path, name, False, entries, rules_here)
                        if rules
                        else file_skip_reason(path)
                    )
                    if reason is None:
                        self._add_file(path, entry)
                    else:
                        self._exclude(path, reason)
                elif entry.is_dir(follow_symlinks=False):
                    reason = self.scanner._skip_reason(path, name, True, entries, rules_here)
                    if reason is None and depth < MAX_DEPTH:
                        inside.append(path + "/")
                    else:
                        self._exclude(path, reason or "too deep")
                else:
                    self.skipped.append(Skip(path, "link" if entry.is_symlink() else "not a regular file"))
            except FileNotFoundError:  # deleted since the listing
                continue
            except OSError as error:
                self.skipped.append(Skip(path, f"unreadable: {error.strerror}"))
            except (ValueError, ArithmeticError) as error:
                self.skipped.append(Skip(path, failure(error)))
        return inside

    def _exclude(self, path: str, reason: str) -> None:
        if reason is IGNORED:
            self.ignored += 1
        elif reason != VERSION_CONTROL and not path.endswith(BYTECODE_FOLDER):
            self.skipped.append(Skip(path, reason))

    def _add_file(self, path: str, entry: os.DirEntry[str]) -> None:
        status = entry.stat(follow_symlinks=False)
        if status.st_size > self.scanner.max_bytes:
            self.skipped.append(Skip(path, "too large"))
            return
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
