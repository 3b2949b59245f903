"""The ignore rules that apply inside one folder: of its own ignore files, of those above it, and of its repository.

Choices: a folder with a `.git` of its own, a submodule or a repository beside others, has the rules of its own repository, as in
git; those of `.c2llmignore` go on. A file that git tracks is not ignored whatever a rule of git says, so that an ignored folder
with tracked files is entered for those alone. The index is read only once an entry is ignored.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.files.git_index import NO_FILES, TrackedFiles, read_tracked
from retrieval.files.ignore import GIT_IGNORE, IGNORE_FILES, TRUNCATED, read_rules
from retrieval.files.repository import Repository, find_repository, repository_at
from retrieval.globs import MAX_RULES, MAX_WILDCARDS, RuleSet, decide
from retrieval.types import Skip

# Wildcard characters, and rules, that may apply inside one folder: as many as two ignore files may have.
MAX_WILDCARD_WEIGHT = 2 * MAX_WILDCARDS
MAX_APPLICABLE_RULES = 2 * MAX_RULES
MAX_CACHED_RULES = 200_000  # compiled rules cached between scans: about 60 MB
MAX_CACHED_NAMES = 1_000_000  # tracked names cached between scans: about 100 MB
GIT_ENTRY = ".git"

_Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FolderRules:
    """The rules of the ignore files that apply inside one directory, nearest first, and the repository it belongs to."""

    git: tuple[RuleSet, ...] = ()
    own: tuple[RuleSet, ...] = ()
    repository: Repository | None = None
    prefix: str = ""  # of the root in its repository: "" or ending in "/"
    base: str = ""  # of the repository below the root: "" or ending in "/"
    only_tracked: bool = False  # inside a folder that an ignore rule matches

    def with_rules(self, name: str, rules: RuleSet) -> FolderRules:
        """With the rules of one more ignore file called `name`, which takes precedence."""
        if name == GIT_IGNORE:
            return replace(self, git=(rules, *self.git))
        return replace(self, own=(rules, *self.own))

    def has_room(self, rules: RuleSet) -> bool:
        """Whether these rules may apply too: the cost of many nested folders with many rules each would add up."""
        applying = (*self.git, *self.own, rules)
        return (
            sum(map(len, applying)) <= MAX_APPLICABLE_RULES
            and sum(each.weight for each in applying) <= MAX_WILDCARD_WEIGHT
        )

    def git_ignores(self, path: str, name: str, is_directory: bool) -> bool:
        return self.only_tracked or bool(self.git and decide(self.git, path, name, is_directory))


class RuleReader:
    """Reads the ignore rules below one root. Caches compiled ignore files and git's indexes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._rules: dict[tuple[str, str], tuple[_Key, RuleSet | None]] = {}
        self._cached_count = 0  # number of cached rules
        self._tracked: dict[Repository, tuple[_Key, TrackedFiles]] = {}

    def root_rules(self, notes: list[Skip] | None = None) -> FolderRules:
        """Rules from above the root (down from the top of its repository) and of the root itself."""
        repository = find_repository(self.root)
        rules_here = FolderRules(repository=repository)
        if repository is not None:
            inside = os.path.relpath(self.root, repository.top).replace(os.sep, "/")
            prefix = "" if inside == "." else inside + "/"
            rules_here = replace(rules_here, prefix=prefix)
            files = [(file, "", True) for file in reversed(repository.exclude_files())]
            folders = prefix.split("/")[:-1]
            for depth in range(len(folders)):
                base = "".join(folder + "/" for folder in folders[:depth])
                files.append((repository.top / base / GIT_IGNORE, base, False))
            for file, base, follow in files:  # the nearest comes last and takes precedence
                rules = self._cached_rules(str(file), base, follow)
                if rules and self._has_room(rules_here, rules, str(file), notes):
                    rules_here = rules_here.with_rules(GIT_IGNORE, _PrefixedRules(rules, prefix))
        return self._with_ignore_files("", rules_here, IGNORE_FILES, notes)

    def rules_inside(
        self, folder: str, inherited: FolderRules, names: Collection[str], notes: list[Skip] | None = None
    ) -> FolderRules | None:
        """The rules inside `folder` (ending in "/"); `names` are its entries. None for a copy of the repository: another
        work tree of the one that the folder is in.

        Rules that are not applied are reported in `notes`.
        """
        rules_here = inherited
        if GIT_ENTRY in names and (repository := self._repository_at(folder)) is not None:
            above = inherited.repository
            if above is not None and repository.is_linked_worktree and _is_same(repository, above):
                return None
            rules_here = FolderRules(own=inherited.own, repository=repository, base=folder)
            for file in reversed(repository.exclude_files()):
                rules = self._cached_rules(str(file), folder, True)
                if rules and self._has_room(rules_here, rules, str(file), notes):
                    rules_here = rules_here.with_rules(GIT_IGNORE, rules)
        return self._with_ignore_files(folder, rules_here, names, notes)

    def is_tracked(self, path: str, is_directory: bool, rules_here: FolderRules) -> bool:
        """Whether git tracks a file, or anything in a folder (relative to the root)."""
        repository = rules_here.repository
        if repository is None:
            return False
        tracked = self.tracked_files(repository)
        if not tracked:
            return False
        name = rules_here.prefix + path[len(rules_here.base) :]
        return tracked.has_folder(name) if is_directory else tracked.has_file(name)

    def tracked_files(self, repository: Repository) -> TrackedFiles:
        try:
            status = repository.index.lstat()
            key = (status.st_size, status.st_mtime_ns, status.st_ino)
        except (OSError, ValueError):
            key = (0, 0, 0)
        cached = self._tracked.get(repository)
        if cached is None or cached[0] != key:
            tracked = read_tracked(repository.index, repository.name_bytes()) if any(key) else NO_FILES
            if sum(len(files) for _, files in self._tracked.values()) + len(tracked) > MAX_CACHED_NAMES:
                self._tracked.clear()
            cached = self._tracked[repository] = (key, tracked)
        return cached[1]

    def tracked_changed(self) -> bool:
        """Whether an index that mattered names other files than when it was last read."""
        before = [(repository, files) for repository, (_, files) in self._tracked.items()]
        changed = [repository for repository, files in before if self.tracked_files(repository) != files]
        return bool(changed)

    def _repository_at(self, folder: str) -> Repository | None:
        try:
            return repository_at(self.root / folder)
        except OSError:
            return None

    def _with_ignore_files(
        self, folder: str, rules_here: FolderRules, names: Iterable[str], notes: list[Skip] | None
    ) -> FolderRules:
        for name in IGNORE_FILES:
            if name in names and (rules := self._cached_rules(f"{self.root}/{folder}{name}", folder)):
                if not self._has_room(rules_here, rules, folder + name, notes):
                    continue
                rules_here = rules_here.with_rules(name, rules)
        return rules_here

    def _has_room(self, rules_here: FolderRules, rules: RuleSet, path: str, notes: list[Skip] | None) -> bool:
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
        cached = self._rules.get((path, base))
        if cached is None or cached[0] != key:
            rules = read_rules(Path(path), base, follow=follow)
            self._cached_count += len(rules or ())
            if self._cached_count > MAX_CACHED_RULES:
                self._rules.clear()
                self._cached_count = len(rules or ())
            cached = self._rules[path, base] = (key, rules)
        return cached[1]


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


def _is_same(one: Repository, other: Repository) -> bool:
    try:
        return one.directory.samefile(other.directory)
    except OSError:
        return False
