"""Which files of a workspace are indexed, and which of them changed.

Precedence, first that speaks: secrets and version control (always out) > extra excludes of the settings >
`.c2llmignore` > the default excludes > `.gitignore` (nearest first), `.git/info/exclude`, git's
`core.excludesFile`. A negation in `.gitignore` does not bring a default exclude back (`!*/` is common and would open
node_modules); one in `.c2llmignore` does.
Symbolic links are skipped: those to files inside would be duplicates, the others lead out, and loops cannot arise.
Names that are not UTF-8 are skipped and counted: they have no place in a protocol of JSON.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import WorkspaceError
from retrieval.files.default_excludes import (
    MARKER_ENTRIES,
    NEVER,
    SECRET,
    SECRET_DIRECTORIES,
    VCS_DIRECTORIES,
    VERSION_CONTROL,
    directory_reason,
    file_reason,
)
from retrieval.files.file_reader import MAX_BYTES, UNSETTLED, FileStamp
from retrieval.files.ignore import GIT_IGNORE, IGNORE_FILES, PARTLY_READ, read_rules
from retrieval.files.repository import find_repository
from retrieval.globs import MAX_RULES, MAX_WILDCARDS, RuleSet, decide
from retrieval.types import Skip

MAX_DEPTH = 200  # folders; deeper trees are made by mistakes or by attackers, and paths end near there anyway
# Characters of wildcards, and rules, that may apply inside one folder: as many as two ignore files may have.
MAX_WEIGHT = 2 * MAX_WILDCARDS
MAX_APPLYING = 2 * MAX_RULES
MAX_REMEMBERED = 200_000  # compiled rules kept between scans: about 60 MB
BYTECODE = "__pycache__"  # lies beside every package: left out without a word, as version control is
IGNORED = "ignored"  # by a pattern of the user's: counted, not listed


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found. `skipped` lists the files and folders that a rule of this program or an error left out; what the
    user's patterns ignore is counted in `ignored`."""

    stamps: dict[str, FileStamp]
    changed: tuple[str, ...]  # new or different from what was known, sorted
    removed: tuple[str, ...]  # known and no longer there, sorted
    skipped: list[Skip] = field(default_factory=list)
    ignored: int = 0  # files and folders left out by ignore files; what is below such a folder is not counted
    directories: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Level:
    """The ignore files that apply inside one directory, nearest first."""

    git: tuple[RuleSet, ...]
    own: tuple[RuleSet, ...]

    def with_rules(self, name: str, rules: RuleSet) -> _Level:
        """With those of one more ignore file, which is called `name` and is asked first."""
        return _Level((rules, *self.git), self.own) if name == GIT_IGNORE else _Level(self.git, (rules, *self.own))

    def has_room(self, rules: RuleSet) -> bool:
        """Whether an entry may be asked about these rules too: many folders, each with many, would add up."""
        applying = (*self.git, *self.own, rules)
        return sum(map(len, applying)) <= MAX_APPLYING and sum(each.weight for each in applying) <= MAX_WEIGHT


class Scanner:
    """Scans one root. Keeps nothing between scans but compiled ignore files, so it is always safe to ask again."""

    def __init__(self, root: Path, *, extra_excludes: Iterable[str] = (), max_bytes: int = MAX_BYTES) -> None:
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise WorkspaceError(f"'{root}' is not a directory that exists: give the folder to index.")
        self.max_bytes = max_bytes
        self._extra = RuleSet(extra_excludes)
        self._rules: dict[str, tuple[tuple[int, int, int], RuleSet | None]] = {}
        self._remembered = 0  # how many rules those are

    def scan(self, known: Mapping[str, FileStamp] | None = None) -> Scan:
        """All files to index with their stamps, compared with the `known` ones."""
        started = time.perf_counter()
        walk = _Walk(self, known or {})
        walk.run()
        known_paths = known.keys() if known else ()
        removed = sorted(path for path in known_paths if path not in walk.stamps)
        return Scan(
            walk.stamps, tuple(sorted(walk.changed)), tuple(removed), walk.skipped, walk.ignored, walk.directories,
            time.perf_counter() - started,
        )  # fmt: skip

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        """Whether an event about `path` (relative to the root) is of no interest: it or a folder above is left out."""
        return self.judge().ignores(path, is_dir)

    def judge(self) -> Judge:
        """For many questions about one moment: it remembers what it learned about each folder."""
        return Judge(self)

    def _reason(self, path: str, name: str, is_directory: bool, siblings: _Siblings, level: _Level) -> str | None:
        """Why an entry is left out, None where it is kept."""
        reason: str | None = None
        if is_directory:
            if name in VCS_DIRECTORIES:
                return VERSION_CONTROL
            if name in SECRET_DIRECTORIES:
                return SECRET
        elif (reason := file_reason(name)) in NEVER:
            return reason
        verdict = self._extra.decide(path, name, is_directory) if self._extra else None
        if verdict is None and level.own:
            verdict = decide(level.own, path, name, is_directory)
        if verdict is not None:
            return IGNORED if verdict else None
        if is_directory:
            reason = directory_reason(name, siblings)
        if reason is not None:
            return reason
        return IGNORED if level.git and decide(level.git, path, name, is_directory) else None

    def _root_level(self, notes: list[Skip] | None = None) -> _Level:
        """Rules from above the root (down from the top of its repository) and of the root itself."""
        level = _Level((), ())
        repository = find_repository(self.root)
        if repository is not None:
            inner = os.path.relpath(self.root, repository.top).replace(os.sep, "/")
            prefix = "" if inner == "." else inner + "/"
            files = [(file, "", True) for file in reversed(repository.exclude_files())]
            folders = prefix.split("/")[:-1]
            for depth in range(len(folders)):
                base = "".join(folder + "/" for folder in folders[:depth])
                files.append((repository.top / base / GIT_IGNORE, base, False))
            for file, base, follow in files:  # the nearest comes last and is asked first
                rules = self._cached_rules(str(file), base, follow)
                if rules and self._admits(level, rules, str(file), notes):
                    level = level.with_rules(GIT_IGNORE, _Below(rules, prefix))
        return self._level_of("", level, IGNORE_FILES, notes)

    def _level_of(self, folder: str, above: _Level, names: Iterable[str], notes: list[Skip] | None = None) -> _Level:
        """The rules inside `folder` ("" or ending in "/"), of whose entries `names` may be ignore files.

        What of them does not count goes to `notes`.
        """
        level = above
        for name in IGNORE_FILES:
            if name in names and (rules := self._cached_rules(f"{self.root}/{folder}{name}", folder)):
                if not self._admits(level, rules, folder + name, notes):
                    continue
                level = level.with_rules(name, rules)
        return level

    def _admits(self, level: _Level, rules: RuleSet, path: str, notes: list[Skip] | None) -> bool:
        fits = level.has_room(rules)
        if notes is not None and (rules.dropped or not fits):
            notes.append(Skip(path, PARTLY_READ))
        return fits

    def _cached_rules(self, path: str, base: str, follow: bool = False) -> RuleSet | None:
        try:
            status = os.stat(path) if follow else os.lstat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        key = (status.st_size, status.st_mtime_ns, status.st_ino)
        cached = self._rules.get(path)
        if cached is None or cached[0] != key:
            rules = read_rules(Path(path), base, follow=follow)
            self._remembered += len(rules or ())
            if self._remembered > MAX_REMEMBERED:
                self._rules.clear()
                self._remembered = len(rules or ())
            cached = self._rules[path] = (key, rules)
        return cached[1]


_Siblings = Mapping[str, object] | frozenset[str]


class Judge:
    """Answers `ignores` for single paths. Short-lived: it does not see what changes behind its first look."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._folders: dict[str, tuple[_Level, frozenset[str]] | None] = {}

    def ignores(self, path: str, is_dir: bool = False) -> bool:
        folder, slash, name = path.rpartition("/")
        if not name or path.count("/") > MAX_DEPTH or not _is_text(path):
            return bool(path)
        known = self._enter(folder + slash)
        if known is None:
            return True
        level, siblings = known
        return self._scanner._reason(path, name, is_dir, siblings, level) is not None

    def _enter(self, folder: str) -> tuple[_Level, frozenset[str]] | None:
        """Rules and entries of a folder ("" or ending in "/"); None where it is left out."""
        if folder in self._folders:
            return self._folders[folder]
        found: tuple[_Level, frozenset[str]] | None = None
        if not folder:
            found = (self._scanner._root_level(), self._entries(""))
        elif not self.ignores(folder[:-1], True):
            above = self._folders[folder[:-1].rpartition("/")[0] + "/" if "/" in folder[:-1] else ""]
            entries = self._entries(folder)
            if above is not None and MARKER_ENTRIES.isdisjoint(entries):
                found = (self._scanner._level_of(folder, above[0], entries), entries)
        self._folders[folder] = found
        return found

    def _entries(self, folder: str) -> frozenset[str]:
        try:
            with os.scandir(f"{self._scanner.root}/{folder}") as listing:
                return frozenset(entry.name for entry in listing)
        except OSError:  # gone or unreadable: then only the names on the path can speak
            return frozenset()


class _Below(RuleSet):
    """Rules of a directory above the root: paths get the root's own path in front before they are asked."""

    __slots__ = ("_inner", "_prefix")

    def __init__(self, rules: RuleSet, prefix: str) -> None:
        super().__init__((), "")
        self._inner, self._prefix = rules, prefix
        self.weight, self.dropped = rules.weight, rules.dropped

    def __len__(self) -> int:
        return len(self._inner)

    def decide(self, path: str, name: str, is_directory: bool) -> bool | None:
        return self._inner.decide((self._prefix + path)[len(self._inner.base) :], name, is_directory)


class _Walk:
    """One scan under way."""

    def __init__(self, scanner: Scanner, known: Mapping[str, FileStamp]) -> None:
        self.scanner, self.known = scanner, known
        self.stamps: dict[str, FileStamp] = {}
        self.changed: list[str] = []
        self.skipped: list[Skip] = []
        self.ignored = self.directories = 0
        self.now = time.time_ns()

    def run(self) -> None:
        pending: list[tuple[str, _Level, int]] = [("", self.scanner._root_level(self.skipped), 0)]
        while pending:
            folder, above, depth = pending.pop()
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
                above = self.scanner._level_of(folder, above, entries, self.skipped)
            pending.extend((inner, above, depth + 1) for inner in self._folder(folder, entries, above, depth))

    def _folder(self, folder: str, entries: dict[str, os.DirEntry[str]], level: _Level, depth: int) -> list[str]:
        """Takes the files of one directory; returns the directories to enter."""
        inner: list[str] = []
        rules = bool(level.git or level.own or self.scanner._extra)
        for name, entry in entries.items():
            path = folder + name
            try:
                if not name.isascii() and not _is_text(name):
                    self.skipped.append(Skip(path.encode("utf-8", "replace").decode(), "name is not UTF-8"))
                elif entry.is_file(follow_symlinks=False):
                    reason = self.scanner._reason(path, name, False, entries, level) if rules else file_reason(name)
                    if reason is None:
                        self._file(path, entry)
                    else:
                        self._left_out(path, reason)
                elif entry.is_dir(follow_symlinks=False):
                    reason = self.scanner._reason(path, name, True, entries, level)
                    if reason is None and depth < MAX_DEPTH:
                        inner.append(path + "/")
                    else:
                        self._left_out(path, reason or "too deep")
                else:
                    self.skipped.append(Skip(path, "link" if entry.is_symlink() else "not a regular file"))
            except FileNotFoundError:  # gone since the listing: as if it had never been there
                continue
            except OSError as error:
                self.skipped.append(Skip(path, f"unreadable: {error.strerror}"))
        return inner

    def _left_out(self, path: str, reason: str) -> None:
        if reason is IGNORED:
            self.ignored += 1
        elif reason != VERSION_CONTROL and not path.endswith(BYTECODE):
            self.skipped.append(Skip(path, reason))

    def _file(self, path: str, entry: os.DirEntry[str]) -> None:
        status = entry.stat(follow_symlinks=False)
        if status.st_size > self.scanner.max_bytes:
            self.skipped.append(Skip(path, "too large"))
            return
        stamp = self.stamps[path] = FileStamp.of(status, self.now)
        if self.known.get(path) != stamp or stamp.mtime_ns == UNSETTLED:
            self.changed.append(path)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
