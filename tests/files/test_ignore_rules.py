"""Ignore rules against git itself: every verdict is compared with what the installed git says."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.files import Scanner
from retrieval.files.ignore import MAX_IGNORE_BYTES, TRUNCATED
from retrieval.globs import RuleSet, parse_rule
from retrieval.types import Skip

ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["git", *arguments], cwd=root, env=ENVIRONMENT, input=stdin, capture_output=True, check=False)
    return done.stdout


def lay_out(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(text.encode())


def kept_by_git(root: Path) -> set[str]:
    return {os.fsdecode(path) for path in git(root, "ls-files", "-oz", "--exclude-standard").split(b"\0") if path}


def check(tmp_path: Path, files: dict[str, str]) -> None:
    git(tmp_path, "init", "-q")
    lay_out(tmp_path, files)
    assert set(Scanner(tmp_path).scan().stamps) == kept_by_git(tmp_path)


def test_nested_files_negation_and_anchors_are_as_in_git(tmp_path: Path) -> None:
    check(
        tmp_path,
        {
            ".gitignore": "*.log\n/only_root.txt\nlogs/\n!keep.log\ndoc/*.md\na/**/z.txt\n**/deep/*.c\n",
            "x.log": "", "keep.log": "", "only_root.txt": "", "sub/only_root.txt": "", "sub/x.log": "",
            "sub/.gitignore": "!x.log\n*.txt\n", "sub/inner/x.log": "", "logs/a": "", "sub/logs/b": "",
            "sub/logs2/c": "",
            "doc/a.md": "", "doc/b/a.md": "", "a/z.txt": "", "a/b/z.txt": "", "a/b/c/z.txt": "", "b/a/z.txt": "",
            "deep/x.c": "", "q/deep/y.c": "", "q/deep/r/y.c": "",
        },
    )  # fmt: skip


def test_a_file_under_an_excluded_directory_cannot_come_back(tmp_path: Path) -> None:
    check(
        tmp_path,
        {
            ".gitignore": "gone/\n!gone/back.txt\npart/*\n!part/back.txt\n",
            "gone/back.txt": "", "gone/.gitignore": "!*\n", "part/back.txt": "", "part/other.txt": "",
        },
    )  # fmt: skip


def test_the_exclude_file_of_the_repository_applies(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay_out(tmp_path, {".git/info/exclude": "private.txt\n", "private.txt": "", "a.txt": "", "s/private.txt": ""})
    assert set(Scanner(tmp_path).scan().stamps) == kept_by_git(tmp_path) == {"a.txt"}


def test_rules_from_above_the_root_apply_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    lay_out(
        tmp_path,
        {
            ".gitignore": "*.tmp\n/pkg/lib/made.py\n", "pkg/.gitignore": "lib/other.py\n",
            "pkg/lib/a.py": "", "pkg/lib/made.py": "", "pkg/lib/other.py": "", "pkg/lib/x.tmp": "",
        },
    )  # fmt: skip
    assert set(Scanner(tmp_path / "pkg" / "lib").scan().stamps) == {"a.py"}


def test_a_linked_worktree_shares_the_exclude_file(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    git(main, "worktree", "add", "-q", str(linked))
    lay_out(main, {".git/info/exclude": "private.txt\n"})
    lay_out(linked, {"private.txt": "", "a.txt": ""})
    assert set(Scanner(linked).scan().stamps) == {"a.txt"}


@pytest.mark.parametrize(
    "pattern",
    [
        "a", "a/", "/a", "a/b", "*", "**", "**/", "/**", "a/**", "**/a", "a/**/b", "a**b", "a*", "*a", "?", "a?b",
        "[ab]", "[!ab]", "[^ab]", "[]a]", "[a-c]x", "[a", "a]", "[[:alpha:]]", "[[:nope:]]", "\\a", "\\!a", "\\#a",
        "#a", "!a", "a\\", "a ", "a\\ ", "a\\  ", " a", "a//b", "/", "//", "!", "!/", "a/*/b", "a/?/b", "*/b",
        "***", "a/***/b", "[a/b]", "a[/]b", "[\\]]", "[--0]", "[a-]", "[-a]", "[z-a]", "{a,b}", "a+b", "a.b",
        "(a)", "$a", "^a", "**/**/b", "a/**b", "a**/b", "**a/b", "\\*", "[*]", "A", "é", "é?", "/a**", "a/b**/q",
        "a\tb", "a\t", "[!a]/b", "x/**/", "*/", "?/", "/*/",
    ],
)  # fmt: skip
def test_every_kind_of_pattern_decides_as_git_does(pattern: str, tmp_path: Path) -> None:
    names = [
        "a", "b", "ab", "aab", "a b", "a ", " a", "a.b", "aXb", "[", "]", "[a", "a]", "\\a", "!a", "#a", "x", "ax",
        "cx", "-", "*", "**", "{a,b}", "a+b", "(a)", "$a", "^a", "A", "é", "éé", "0", "a\tb", "a\t", "7",
    ]  # fmt: skip
    paths = [*(folder + name for folder in ("", "a/", "x/") for name in names), "a/q/b", "a/q/r/b", "x/a/b", "ab/b"]
    files, folders = tmp_path / "files", tmp_path / "folders"  # of the same names
    said: list[set[str]] = []
    for root in (files, folders):
        root.mkdir()
        git(root, "init", "-q")
        (root / ".gitignore").write_text(pattern + "\n")
        for path in paths if root is folders else ():
            (root / path).mkdir(parents=True, exist_ok=True)
        answer = git(root, "check-ignore", "--no-index", "-z", "--stdin", stdin="\0".join(paths).encode())
        said.append({path.decode() for path in answer.split(b"\0") if path})
    rules = RuleSet([pattern])

    def ours(path: str, is_directory: bool) -> bool:
        parts = path.split("/")
        return any(
            rules.decide("/".join(parts[:depth]), parts[depth - 1], depth < len(parts) or is_directory)
            for depth in range(1, len(parts) + 1)
        )

    assert {path for path in paths if ours(path, False)} == said[0]
    assert {path for path in paths if ours(path, True)} == said[1]


PIECES = st.sampled_from(
    [
        "a**", "a", "b", "ab", "*", "**", "?", "[ab]", "[!a]", "a*", "*b", "\\a", "c.x", "*.x", "***", "*b*", "[!a-z]",
        "[[:alpha:]]b", "[[:alpha:][:digit:]]*", "[\\]a]b", "a\\b", "?*", "*?b", "[^[:lower:]]*", "ab ", "ab\\ ", "**b",
    ]
)  # fmt: skip
PATTERN = st.builds(
    lambda negated, anchored, parts, only_directories: (
        ("!" if negated else "") + ("/" if anchored else "") + "/".join(parts) + ("/" if only_directories else "")
    ),
    st.booleans(), st.booleans(), st.lists(PIECES, min_size=1, max_size=4), st.booleans(),
)  # fmt: skip
IGNORE_FILE = st.lists(PATTERN, max_size=4).map("\n".join)
NAMES = ("a", "b", "ab", "c.x")


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.fixed_dictionaries({}, optional={"": IGNORE_FILE, "a/": IGNORE_FILE, "a/b/": IGNORE_FILE, "ab/": IGNORE_FILE})
)
def test_random_rules_keep_what_git_keeps(ignore_files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        git(root, "init", "-q")
        tree = {f"{top}/{name}": "" for top in ("a/b", "a/ab", "ab", "b") for name in ("ab", "c.x")}
        tree |= {f"a/b/a/{name}": "" for name in NAMES} | {"c.x": "", "a/c.x": "", "b/ab ": "", "ab/a b": ""}
        lay_out(root, tree | {f"{folder}.gitignore": text for folder, text in ignore_files.items()})
        scanner = Scanner(root)
        kept = set(scanner.scan().stamps)
        assert kept == kept_by_git(root)
        assert {path for path in tree if not scanner.ignores(path)} == {path for path in kept if path in tree}


def test_comments_and_blank_lines_are_not_rules() -> None:
    assert [parse_rule(line) for line in ("", "# x", "   ", "!", "/", "[a", "x\\")] == [None] * 7


def test_an_ignore_file_with_a_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbf*.log\r\nb.txt\r\n")
    lay_out(tmp_path, {"a.log": "", "b.txt": "", "c.txt": ""})
    assert set(Scanner(tmp_path).scan().stamps) == {".gitignore", "c.txt"}


def test_hostile_patterns_do_not_hold_up_a_scan(tmp_path: Path) -> None:
    folders = "/".join("ab" * 30)
    lay_out(
        tmp_path,
        {
            ".gitignore": "*a*a*a*a*b\n" + "**/" * 12 + "x\n" + "*a" * 1000 + "b\n" + "**/a*/" * 100 + "z\n",
            f"{folders}/x": "", f"{folders}/{'a' * 200}": "", f"{folders}/a.py": "",
        },
    )  # fmt: skip
    excludes = ["*c*c*c*c*d", "**/*/" * 12 + "x"]
    stamps = Scanner(tmp_path, extra_excludes=excludes).scan().stamps
    assert set(stamps) == {".gitignore", f"{folders}/{'a' * 200}", f"{folders}/a.py"}


def test_a_huge_ignore_file_is_truncated_and_reported(tmp_path: Path) -> None:
    lay_out(tmp_path, {"first.log": "", "last.out": "", "b.py": ""})
    with (tmp_path / ".gitignore").open("wb") as file:
        file.write(b"*.log\n")
        file.truncate(100_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\n*.out\n")
    scan = Scanner(tmp_path, max_bytes=1000).scan()
    assert set(scan.stamps) == {"last.out", "b.py"}
    assert Skip(".gitignore", TRUNCATED) in scan.skipped


def test_truncating_an_ignore_file_keeps_whole_rules(tmp_path: Path) -> None:
    lay_out(tmp_path, {"b": "", "bb.py": ""})
    (tmp_path / ".gitignore").write_text("#" * (MAX_IGNORE_BYTES - 2) + "\nbb.py\n")
    assert "b" in Scanner(tmp_path).scan().stamps


def test_rules_of_many_nested_folders_do_not_add_up(tmp_path: Path) -> None:
    files = {"n/" * depth + ".gitignore": f"*a*{depth}?\n" * 1000 for depth in range(20)}
    lay_out(tmp_path, files | {"n/" * 20 + "aaa.py": ""})
    scan = Scanner(tmp_path).scan()
    assert {"n/" * 20 + "aaa.py"} <= set(scan.stamps)
    assert Skip("n/" * 10 + ".gitignore", TRUNCATED) in scan.skipped


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_instead_of_an_ignore_file_does_not_block(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    os.mkfifo(tmp_path / ".gitignore")
    os.mkfifo(tmp_path / "exclude")
    (tmp_path / ".git/info").mkdir(exist_ok=True)
    (tmp_path / ".git/info/exclude").unlink(missing_ok=True)
    (tmp_path / ".git/info/exclude").symlink_to(tmp_path / "exclude")
    lay_out(tmp_path, {"a.py": ""})
    assert set(Scanner(tmp_path).scan().stamps) == {"a.py"}
