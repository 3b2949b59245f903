"""Ignore files outside the work tree: the same ones that git uses, and hostile configuration cannot add others."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retrieval.files import Scanner
from retrieval.files.repository import find_repository


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose user has no configuration yet."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "work"
    for name in ("a.py", "b.local", "scratch/c.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def kept(root: Path) -> set[str]:
    """What a scan keeps, which is what git would list."""
    stamps = set(Scanner(root).scan().stamps)
    listed = subprocess.run(
        ["git", "ls-files", "-oz", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
    )
    assert stamps == set(listed.stdout.split("\0")) - {""}
    return stamps


def test_the_user_ignore_file_is_read_where_git_looks_for_it(root: Path, home: Path) -> None:
    write(home / ".config/git/ignore", "*.local\n")
    assert kept(root) == {"a.py", "scratch/c.py"}
    write(home / ".gitconfig", "[core]\n\texcludesFile = ~/.ignored\n")
    assert kept(root) == {"a.py", "b.local", "scratch/c.py"}
    write(home / ".ignored", "scratch/\n")
    assert kept(root) == {"a.py", "b.local"}


def test_xdg_config_home_and_git_config_global_are_obeyed(
    root: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "xdg/git/ignore", "a.py\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    assert kept(root) == {"b.local", "scratch/c.py"}
    write(home / "xdg/git/config", f"[core]\nexcludesfile={home}/one\n")
    write(home / "one", "scratch\n")
    assert kept(root) == {"a.py", "b.local"}
    write(home / "other", f"[core]\nexcludesfile={home}/two\n")
    write(home / "two", "b.*\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "other"))
    assert kept(root) == {"a.py", "scratch/c.py"}


def test_user_includes_apply_and_recursive_ones_end(root: Path, home: Path) -> None:
    write(home / ".gitconfig", "[include]\n\tpath = more.cfg\n")
    write(home / "more.cfg", "[core]\n\texcludesFile = ~/.ignored\n")
    write(home / ".ignored", "b.local\n")
    assert kept(root) == {"a.py", "scratch/c.py"}
    write(home / "more.cfg", "[core]\n\texcludesFile = ~/.ignored\n[include]\n\tpath = more.cfg\n")
    assert set(Scanner(root).scan().stamps) == {"a.py", "scratch/c.py"}


def test_the_repository_setting_overrides_the_user_setting(root: Path, home: Path) -> None:
    write(home / ".config/git/ignore", "*.local\n")
    write(root.parent / "chosen", "scratch/\n")
    subprocess.run(["git", "config", "core.excludesFile", "../chosen"], cwd=root, check=True)
    assert kept(root) == {"a.py", "b.local"}


def test_nearer_rules_override_the_user_ignore_file(root: Path, home: Path) -> None:
    write(home / ".config/git/ignore", "*.py\n/scratch/\n*.local\n")
    write(root / ".gitignore", "!a.py\n")
    write(root / ".git/info/exclude", "!scratch/\n")
    assert kept(root) == {".gitignore", "a.py"}
    assert set(Scanner(root / "scratch").scan().stamps) == set()


def test_the_user_ignore_file_does_not_apply_outside_a_repository(tmp_path: Path, home: Path) -> None:
    write(home / ".config/git/ignore", "*.py\n")
    write(tmp_path / "plain/a.py", "")
    assert set(Scanner(tmp_path / "plain").scan().stamps) == {"a.py"}


@pytest.mark.parametrize(
    "config",
    [
        "[core]\n\texcludesFile = /dev/zero\n", "[core]\n\texcludesFile = /\n", "[core]\n\texcludesFile = ../pipe\n",
        "[core]\n\texcludesFile = \\\n", '[core]\n\texcludesFile = "', "[core\n", "[include]\n\tpath = /dev/zero\n",
        "[core]\n\texcludesFile = a\0b\n", "[core]\n\texcludesFile = ~nobody-of-that-name/x\n",
        "[core]\n\texcludesFile = //server/share/x\n", "[core]\n\texcludesFile\n", "\0" * 300_000,
        "[core]\n\tfsmonitor = touch ../made\n\thooksPath = ../hooks\n\tsshCommand = touch ../made\n",
        '[core "' + "\\" * 100_000, "[" + " " * 100_000, "a" * 100_000 + " " * 100_000, "[core]" + "\\\n" * 100_000,
    ],
)  # fmt: skip
def test_hostile_configuration_of_a_repository_does_nothing(config: str, root: Path) -> None:
    if hasattr(os, "mkfifo"):
        os.mkfifo(root.parent / "pipe")
    (root / ".git/config").write_text(config)
    assert set(Scanner(root).scan().stamps) == {"a.py", "b.local", "scratch/c.py"}
    assert not (root.parent / "made").exists()


def test_a_git_file_that_names_no_directory_does_nothing(tmp_path: Path, home: Path) -> None:
    write(tmp_path / "a.py", "")
    for text in ("gitdir: " + "x/" * 100_000, "gitdir: \0", "gitdir: a.py", "", "gitdir: ."):
        write(tmp_path / ".git", text)
        assert set(Scanner(tmp_path).scan().stamps) == {"a.py"}


LINE = st.sampled_from(
    [
        "[core]", "[Core]", "[core] ; comment", '[core "sub"]', "[other]", "  excludesFile = one", "excludesfile=two # no",
        'EXCLUDESFILE = "three # yes"', 'excludesFile = a" b "c ', "excludesFile = \\", "four\\", "tail", "; excludesFile = x",
        "[core] excludesFile = five", 'excludesFile = "six\\"q"', "excludesFile = se\\\\ven", "other = excludesFile = x", "",
        "excludesFile = e ; i ght", "excludesFile =   spaces  inside   ", "other", "excludesFileX = nine",
    ]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(LINE, max_size=6))
@example(["[core]", "excludesFile = \\", "  excludesFile = one"])
@example(["[core]", "excludesFile = \\", "excludesFile = \\"])
@example(["[core]", 'excludesFile = ""  a', "excludesfile=two # no"])
def test_values_are_read_as_git_reads_them(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("config")
    (folder / ".git").mkdir()
    write(folder / ".git/config", "\n".join(lines) + "\n")
    done = subprocess.run(
        ["git", "config", "--file", str(folder / ".git/config"), "-z", "--get", "core.excludesFile"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode > 1:
        return  # git refuses the file
    repository = find_repository(folder)
    assert repository is not None
    files = [str(file) for file in repository.exclude_files()]
    if done.stdout.strip("\0"):
        assert files[-1] == str(folder / done.stdout.rstrip("\0"))
    else:
        assert not files[-1].startswith(str(folder)) or files[-1].endswith("info/exclude")
