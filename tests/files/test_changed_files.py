"""Which files differ from the last commit, as git itself says it, and without running what its configuration names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retrieval.files import ChangedFiles
from tests.files.test_git_index import git, lay_out, repository


def committed(root: Path, *paths: str) -> Path:
    """A repository with these files committed."""
    repository(root)
    lay_out(root, *paths)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def changed(root: Path, folder: str = "") -> set[str] | None:
    """What is changed in a folder of a repository."""
    base = (root / folder).resolve()
    files = []
    for file in sorted(path for path in base.rglob("*") if path.is_file() and ".git" not in path.parts):
        status = file.stat()
        files.append((file.relative_to(base).as_posix(), status.st_size, status.st_mtime_ns))
    found = ChangedFiles(base).among(files, 0)
    return None if found is None else set(found)


def status_of(root: Path) -> set[str]:
    """What `git status` says, without files that are gone."""
    rows = git(root, "status", "--porcelain", "-z", "--no-renames", "-uall").split("\0")
    return {row[3:] for row in rows if row and (root / row[3:]).is_file()}


def test_edited_staged_and_new_files_are_changed_as_git_says(tmp_path: Path) -> None:
    root = committed(tmp_path / "r", "same.py", "edited.py", "staged.py", "both.py", "gone.py", "moved.py", "süß/ü.py")
    assert changed(root) == set()
    (root / "edited.py").write_text("x = 2\n")
    (root / "staged.py").write_text("x = 3\n")
    (root / "both.py").write_text("x = 4\n")
    git(root, "add", "staged.py", "both.py")
    (root / "both.py").write_text("x = 5\n")
    (root / "gone.py").unlink()
    git(root, "mv", "moved.py", "süß/here.py")
    lay_out(root, "new.py", "deep/new.py")
    expected = {"edited.py", "staged.py", "both.py", "süß/here.py", "new.py", "deep/new.py"}
    assert changed(root) == expected == status_of(root)
    git(root, "add", "-A")
    assert changed(root) == expected
    git(root, "commit", "-qm", "second")
    assert changed(root) == set()


def test_a_file_that_was_only_touched_is_not_changed(tmp_path: Path) -> None:
    root = committed(tmp_path / "r", "a.py", "b.py")
    os.utime(root / "a.py", (1, 1))
    (root / "b.py").write_bytes(b"x = 1\r\n")
    git(root, "config", "core.autocrlf", "true")
    assert changed(root) == set()


def test_paths_are_those_of_a_folder_within_the_repository(tmp_path: Path) -> None:
    root = committed(tmp_path / "r", "app/a.py", "app/deep/b.py", "other.py")
    (root / "app/deep/b.py").write_text("y = 1\n")
    (root / "other.py").write_text("y = 1\n")
    assert changed(root, "app") == {"deep/b.py"}


@pytest.mark.parametrize("version", ["2", "4"])
def test_all_versions_of_an_index_are_read(tmp_path: Path, version: str) -> None:
    root = committed(tmp_path / "r", "a.py", "a/b.py", "a/b/c.py", "z.py")
    git(root, "update-index", "--index-version", version)
    (root / "a/b.py").write_text("y = 1\n")
    assert changed(root) == {"a/b.py"}


def test_a_split_index_is_read_with_its_shared_part(tmp_path: Path) -> None:
    root = committed(tmp_path / "r", "a.py", "b.py")
    git(root, "update-index", "--split-index")
    (root / "b.py").write_text("y = 1\n")
    git(root, "add", "b.py")
    assert changed(root) == {"b.py"}


def test_before_the_first_commit_all_is_changed(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    lay_out(root, "a.py", "b.py")
    git(root, "add", "a.py")
    assert changed(root) == {"a.py", "b.py"} == status_of(root)


def test_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.py")
    assert changed(tmp_path) is None


def test_a_submodule_is_its_own_repository(tmp_path: Path) -> None:
    inner = committed(tmp_path / "inner", "a.py")
    root = committed(tmp_path / "r", "b.py")
    git(root, "submodule", "--quiet", "add", str(inner), "sub")
    git(root, "commit", "-qm", "submodule")
    assert changed(root) == set()


def test_an_answer_is_kept_until_files_or_commits_change(tmp_path: Path) -> None:
    root = committed(tmp_path / "r", "a.py", "b.py").resolve()
    files = ChangedFiles(root)

    def stamps() -> list[tuple[str, int, int]]:
        return [(name, (root / name).stat().st_size, (root / name).stat().st_mtime_ns) for name in ("a.py", "b.py")]

    assert files.among(stamps(), 1) == set()
    (root / "a.py").write_text("longer = 1\n")
    assert files.among([], 1) == set()  # nothing told of it: no file is looked at
    assert files.among(stamps(), 2) == {"a.py"}
    git(root, "commit", "-qam", "second")
    assert files.among(stamps(), 2) == set()
    git(root, "reset", "-q", "--soft", "HEAD~")
    assert files.among(stamps(), 2) == {"a.py"}


def test_no_program_that_the_repository_names_is_started(tmp_path: Path) -> None:
    root, mark = committed(tmp_path / "r", "a.py", "b.py"), tmp_path / "mark"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    trap.chmod(0o755)
    (root / ".gitattributes").write_text("*.py filter=trap diff=trap\n")
    for name in (
        "filter.trap.clean",
        "filter.trap.process",
        "core.fsmonitor",
        "diff.external",
        "diff.trap.textconv",
        "core.pager",
    ):
        git(root, "config", name, str(trap))
    hook = root / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(trap.read_text())
    hook.chmod(0o755)
    (root / "a.py").write_text("y = 1\n")
    os.utime(root / "b.py", (1, 1))
    assert changed(root) == {"a.py", ".gitattributes"}
    assert not mark.exists()
