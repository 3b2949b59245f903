"""What the scope of a query comes to: files, a folder, or everything but tests.

folder    what is in the folder of the file one is in, and below it
package   the package that this folder is part of: of Python's the outermost, else what a manifest begins, else the folder
open      what is open in the editor
changed   what differs from the last commit
no-tests  everything but tests
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from retrieval.errors import QueryError
from retrieval.files import ChangedFiles
from retrieval.store import Store
from retrieval.types import WITHIN, Filters, SearchScope

NO_REPOSITORY = "What changed is not known: the folder is in no git repository."
NOTHING_CHANGED = "No indexed file has changed since the last commit."
NOTHING_OPEN = "No indexed file is open."
ELSEWHERE = "The file is in another folder."
MANIFESTS = (
    "package.json", "Cargo.toml", "go.mod", "pyproject.toml", "setup.py", "pom.xml", "build.gradle", "build.gradle.kts",
    "composer.json", "Gemfile", "mix.exs", "pubspec.yaml", "Package.swift", "dune-project", "build.sbt", "deno.json",
)  # fmt: skip


class Scopes:
    """Of one workspace. Any thread."""

    def __init__(self, root: Path, store: Callable[[], Store]) -> None:
        self._root, self._store = root, store
        self._changed = ChangedFiles(root)

    def resolve(self, filters: Filters) -> tuple[Filters, tuple[str, ...]]:
        """The filters with what their scope comes to in its place, and why nothing is in it."""
        scope = filters.scope
        if not scope.within:
            return filters, ()
        folder, files, notes = filters.folder, filters.files, []
        if "folder" in scope.within or "package" in scope.within:
            if scope.folder is None:
                files, notes = (), [ELSEWHERE]
            else:
                folder = scope.folder if "folder" in scope.within else package_of(self._root, scope.folder)
        if "open" in scope.within:
            files = scope.open_files if files is None else tuple(path for path in files if path in scope.open_files)
            notes += [] if scope.open_files else [NOTHING_OPEN]
        if "changed" in scope.within:
            files, note = self._changed_among(files)
            notes += [note] if note else []
        tests = filters.tests and "no-tests" not in scope.within
        return replace(filters, scope=SearchScope(), files=files, folder=folder, tests=tests), tuple(notes)

    def _changed_among(self, files: tuple[str, ...] | None) -> tuple[tuple[str, ...], str]:
        store = self._store()
        stamps = ((path, size, mtime_ns) for path, size, mtime_ns, *_ in store.files.stamps())
        changed = self._changed.among(stamps, (id(store), store.revision))
        if changed is None:
            return (), NO_REPOSITORY
        kept = sorted(changed if files is None else changed.intersection(files))
        return tuple(kept), "" if changed else NOTHING_CHANGED


def normalize_scope(scope: SearchScope) -> SearchScope:
    """Raises QueryError for what is no scope."""
    within = tuple(name.strip().lower() for name in scope.within)
    if unknown := [name for name in within if name not in WITHIN]:
        raise QueryError(f"There is no scope '{unknown[0]}'; scopes are {', '.join(WITHIN)}.")
    return replace(scope, within=within)


def package_of(root: Path, folder: str) -> str:
    """The folder of the package that a folder is part of; "" for the whole workspace."""
    above = [folder, *(parent.as_posix() for parent in Path(folder).parents)] if folder else []
    inner = [path for path in above if path not in ("", ".")]
    python = ""
    for path in inner:
        if not (root / path / "__init__.py").is_file():
            break
        python = path
    if python:
        return python
    return next(
        (path for path in inner if any((root / path / name).is_file() for name in MANIFESTS)),
        "" if _begins(root) else folder,
    )


def _begins(root: Path) -> bool:
    """Whether the workspace itself is a package."""
    return any((root / name).is_file() for name in MANIFESTS)
