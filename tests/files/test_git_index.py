"""Tracked files, nested repositories and work trees: a scan keeps what git lists."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.files import Scanner
from retrieval.files.git_index import NO_FILES, TrackedFiles, read_tracked
from retrieval.files.scanner import WORKTREE
from retrieval.types import Skip

ENVIRONMENT = {
    **os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_ALLOW_PROTOCOL": "file",
    **{f"GIT_{role}_{field}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")},
}  # fmt: skip


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return done.stdout


def lay_out(root: Path, *paths: str, **files: str) -> None:
    for path, text in {**dict.fromkeys(paths, "x = 1\n"), **files}.items():
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text)


def listed(root: Path) -> set[str]:
    """The regular files that git lists, in this repository and in the submodules."""
    files: set[str] = set()
    for path in git(root, "ls-files", "-coz", "--exclude-standard").split("\0"):
        full = root / path
        if path and full.is_file():
            files.add(path)
        elif path and full.is_dir() and (full / ".git").exists():
            files |= {path.rstrip("/") + "/" + inside for inside in listed(full)}
    return files


def check(root: Path) -> set[str]:
    """What a scan keeps, after a comparison with git and with the filter for single paths."""
    scanner = Scanner(root)
    kept = set(scanner.scan().stamps)
    assert kept == listed(root)
    path_filter = scanner.path_filter()
    every = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
    assert {path for path in every if not path_filter.ignores(path)} == kept
    return kept


def repository(root: Path, *options: str, ignore: str = "") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", *options)
    if ignore:
        (root / ".gitignore").write_text(ignore)
    return root


TREE = (
    "a.py", "local.py", "config/settings.py", "config/other.py", "deep/config/x.py", "other/local.py", "out/a/b/c.py",
    "out/a/d.py", "out.py", "outer/e.py",
)  # fmt: skip


@pytest.mark.parametrize("version", ["2", "3", "4", "split", "sha256"])
def test_tracked_files_are_kept_although_a_rule_matches_them(version: str, tmp_path: Path) -> None:
    root = repository(
        tmp_path, *(["--object-format=sha256"] if version == "sha256" else []), ignore="config/\nout\nlocal.py\n"
    )
    lay_out(root, *TREE)
    git(root, "add", "-f", "config/settings.py", "out/a/b/c.py", "local.py")
    if version == "split":
        git(root, "update-index", "--split-index")
        git(root, "add", "-f", "deep/config/x.py")
    elif version == "3":
        git(root, "update-index", "--skip-worktree", "local.py")
    elif version == "4":
        git(root, "update-index", "--index-version", "4")
    kept = check(root)
    assert {"config/settings.py", "out/a/b/c.py", "local.py"} <= kept
    assert not {"config/other.py", "out/a/d.py", "other/local.py"} & kept


@given(
    ignored=st.lists(st.sampled_from(["a", "b/", "*.x", "/a/b", "!a/x.x", "a/*", "!b/", "**/c", "x.*"]), max_size=4),
    inner=st.lists(st.sampled_from(["*", "!*.x", "b", "!c/"]), max_size=2),
    tracked=st.sets(st.sampled_from(["a/x.x", "b/a/y.y", "x.x", "a/b/c/y.y", "c/b", "é/x.x", "b/x.x"]), max_size=4),
    version=st.sampled_from(["2", "4"]),
)
@settings(max_examples=25, deadline=None)
def test_random_rules_and_tracked_files_keep_what_git_lists(
    ignored: list[str], inner: list[str], tracked: set[str], version: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = repository(Path(folder).resolve(), ignore="\n".join(ignored) + "\n")
        for path in ("a/x.x", "a/y.y", "a/b/c/y.y", "a/b/x.x", "b/a/y.y", "b/x.x", "x.x", "c/b", "é/x.x", "é/y.y"):
            lay_out(root, path)
        lay_out(root, **{"a/.gitignore": "\n".join(inner) + "\n"})
        if tracked:
            git(root, "add", "-f", *sorted(tracked))
            git(root, "update-index", "--index-version", version)
        check(root)


def test_a_workspace_inside_the_repository_knows_what_is_tracked(tmp_path: Path) -> None:
    root = repository(tmp_path / "top", ignore="out/\n")
    lay_out(root, "pkg/out/a.py", "pkg/out/b.py", "pkg/c.py")
    git(root, "add", "-f", "pkg/out/a.py")
    assert check(root / "pkg") == {"c.py", "out/a.py"}


def test_a_submodule_has_the_rules_of_its_own_repository(tmp_path: Path) -> None:
    library = repository(tmp_path / "library", ignore="*.tmp\n")
    lay_out(library, "src/a.py", "src/b.log")
    git(library, "add", "-A")
    git(library, "commit", "-qm", "one")
    root = repository(tmp_path / "top", ignore="*.log\nthird/\n")
    lay_out(root, "x.py", "y.log")
    git(root, "submodule", "add", "-f", str(library), "third/library")
    lay_out(root / "third/library", "z.tmp", "new.log", "third/q.py")
    (root / ".git/info/exclude").write_text("x.py\nnew.log\n")
    assert check(root) == {
        ".gitignore", ".gitmodules", "third/library/.gitignore", "third/library/src/a.py", "third/library/src/b.log",
        "third/library/new.log", "third/library/third/q.py",
    }  # fmt: skip


def test_a_nested_work_tree_of_the_same_repository_is_left_out_and_told(tmp_path: Path) -> None:
    root = repository(tmp_path / "top")
    lay_out(root, "a.py")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "worktree", "add", "-q", "trees/feature")
    other = repository(tmp_path / "other")
    lay_out(other, "b.py")
    git(other, "add", "-A")
    git(other, "commit", "-qm", "one")
    git(other, "worktree", "add", "-q", str(root / "elsewhere"))
    scanner = Scanner(root)
    scan = scanner.scan()
    assert set(scan.stamps) == {"a.py", "elsewhere/b.py"}
    assert Skip("trees/feature", WORKTREE) in scan.skipped
    assert scanner.ignores("trees/feature/a.py")
    assert set(Scanner(root / "trees/feature").scan().stamps) == {"a.py"}, "a work tree that was asked for"


def test_a_sparse_checkout_is_what_is_on_disk(tmp_path: Path) -> None:
    root = repository(tmp_path, ignore="out/\n")
    lay_out(root, "in/a.py", "in/out/b.py", "off/out/c.py", "off/d.py")
    git(root, "add", "-fA")
    git(root, "commit", "-qm", "one")
    git(root, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    assert check(root) == {".gitignore", "in/a.py", "in/out/b.py"}


def test_tracked_scripts_in_a_folder_named_like_build_output_are_kept(tmp_path: Path) -> None:
    root = repository(tmp_path, ignore="build/\n")
    lay_out(
        root,
        "setup.py",
        "build/release.py",
        "build/lib/copy.py",
        "package.json",
        "dist/index.js",
        "go.mod",
        "vendor/v.go",
    )
    git(root, "add", "-f", "build/release.py", "dist/index.js", "vendor/v.go")
    assert set(Scanner(root).scan().stamps) == {".gitignore", "setup.py", "build/release.py", "package.json", "go.mod"}


def test_a_new_index_is_read_again(tmp_path: Path) -> None:
    root = repository(tmp_path, ignore="out/\n")
    lay_out(root, "out/a.py", "b.py")
    scanner = Scanner(root)
    assert set(scanner.scan().stamps) == {".gitignore", "b.py"}
    git(root, "add", "-f", "out/a.py")
    assert set(scanner.scan().stamps) == {".gitignore", "b.py", "out/a.py"}


def test_a_damaged_or_hostile_index_costs_only_itself(tmp_path: Path) -> None:
    root = repository(tmp_path, ignore="out/\n")
    lay_out(root, "out/a.py", "b.py")
    git(root, "add", "-f", "out/a.py", "b.py")
    index = root / ".git/index"
    whole = index.read_bytes()
    for end in range(0, len(whole), 7):
        index.write_bytes(whole[:end])
        assert len(read_tracked(index)) <= 2
    header = b"DIRC" + (4).to_bytes(4, "big") + (1 << 31).to_bytes(4, "big")
    for data in (
        header,
        header + b"\xff" * 10_000,
        header + (b"\0" * 61 + b"\xff" * 9 + b"a\0") * 50,
        b"DIRC",
        b"\0" * 99,
    ):
        index.write_bytes(data)
        read_tracked(index)
    index.unlink()
    os.mkfifo(index)
    assert read_tracked(index) == NO_FILES
    assert set(Scanner(root).scan().stamps) == {".gitignore", "b.py"}


def test_a_folder_is_not_mistaken_for_another_with_the_same_beginning() -> None:
    tracked = TrackedFiles([b"ab/c", b"a.b/c", b"a0"], frozenset({b"sub"}))
    assert tracked.has_folder("ab") and tracked.has_folder("a.b") and tracked.has_folder("sub")
    assert not tracked.has_folder("a") and not tracked.has_file("ab") and tracked.has_file("a0")


@pytest.mark.parametrize(("condition", "applies"), [("gitdir:{top}/", True), ("gitdir:work/", True), ("gitdir:~/other/", False),
                                                    ("gitdir/i:WORK/", True), ("onbranch:main", False)])  # fmt: skip
def test_includes_by_the_place_of_the_repository_apply(
    condition: str, applies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    root = repository(home / "work")
    lay_out(home, **{
        ".gitconfig": f"[includeIf \"{condition.format(top=root)}\"]\n\tpath = more\n",
        "more": "[core]\nexcludesFile = ~/ignored\n", "ignored": "*.out\n",
    })  # fmt: skip
    lay_out(root, "a.py", "b.out")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    done = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
    )
    assert set(Scanner(root).scan().stamps) == set(done.stdout.split())
    assert ("b.out" not in done.stdout) == applies


def test_a_setting_of_the_work_tree_applies(tmp_path: Path) -> None:
    root = repository(tmp_path / "work")
    lay_out(root, "a.py", "b.out")
    (tmp_path / "ignored").write_text("*.out\n")
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, "config", "--worktree", "core.excludesFile", str(tmp_path / "ignored"))
    assert check(root) == {"a.py"}
