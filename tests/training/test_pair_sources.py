from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from retrieval.training.pair_sources import KINDS, derive, words_of
from retrieval.training.tasks import DataError, Example, instruction_of
from tests.training.test_mining import wheel

ROW = {"package": "p", "language": "go", "path": "a/b.go", "qualified": "Reader.readAll", "doc": "x"}
ROW["body"] = "one\ntwo\nthree\nfour"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    short = {**ROW, "qualified": "run", "body": "one\ntwo"}
    (tmp_path / "train.jsonl").write_text(json.dumps(ROW) + "\n" + json.dumps(short) + "\n")
    return tmp_path / "train.jsonl"


@pytest.mark.parametrize(
    ("name", "words"),
    [("readAll", "read all"), ("HTTPServer2", "http server 2"), ("A.read_all", "a read all"), ("", "")],
)
def test_names_are_taken_apart(name: str, words: str) -> None:
    assert " ".join(words_of(name)) == words


def test_a_name_of_several_words_finds_its_body(pairs: Path) -> None:
    assert list(derive("names", pairs)) == [Example("reader read all", "a/b.go\none\ntwo\nthree\nfour")]


def test_the_first_half_of_a_body_finds_the_second(pairs: Path) -> None:
    assert list(derive("halves", pairs)) == [Example("a/b.go\none\ntwo", "a/b.go\nthree\nfour")]


CODE = {
    "app/files.py": "def open_file(path):\n    return open(path)\n\n\ndef close(handle):\n    handle.close()\n",
    "app/web.ts": "export function parseHeader(text: string) {\n  return text.split(':');\n}\n",
    "app/twice.py": "def write_all(x):\n    return x\n",
    "app/again.py": "def write_all(y):\n    return y\n",
    "tests/test_files.py": (
        "def test_open_file_that_is_missing():\n    assert open_file('x') is None\n\n\n"
        "def test_close():\n    close(1)\n\n\ndef test_close_twice():\n    close(2)\n\n\n"
        "def test_write_all():\n    write_all(1)\n\n\ndef helper():\n    return 1\n"
    ),
    "app/web.test.ts": "function testParseHeader() {\n  expect(parseHeader('a:b')).toEqual(['a', 'b']);\n}\n",
}


def found_by_tests(source: Path) -> dict[str, str]:
    """The first line of each test, and the path of what it finds."""
    return {e.query.strip().split("\n")[0]: e.positive.split("\n")[0] for e in derive("tests", source)}


EXPECTED = {
    "def test_open_file_that_is_missing():": "app/files.py",
    "def test_close():": "app/files.py",
    "function testParseHeader() {": "app/web.ts",
}


def test_a_test_finds_the_one_function_that_its_name_tells(tmp_path: Path) -> None:
    for path, text in CODE.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "tests" / "odd.py").write_bytes(b"\xff\xfedef test_\x00")
    assert found_by_tests(tmp_path) == EXPECTED


def test_tests_are_found_in_archives_too(tmp_path: Path) -> None:
    assert found_by_tests(wheel(tmp_path, "app", CODE)) == EXPECTED


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_a_commit_s_message_finds_its_diff(tmp_path: Path) -> None:
    git(tmp_path, "init")
    for text, message in (
        ("a = 1\n", "Begin"),
        ("a = 2\n", "Set a to two"),
        ("a = 3\n", "Merge branch of somebody else"),
        ("a = 4\n" * 3_000, "Add a great many lines"),
    ):
        (tmp_path / "a.py").write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-m", message)
    (found,) = derive("commits", tmp_path)
    assert found.query == "Set a to two"
    assert found.positive == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2"


def test_what_cannot_be_derived_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for kind, source, told in (
        ("other", tmp_path, "no kind 'other'"),
        ("tests", tmp_path / "none", "There is no"),
        ("commits", tmp_path, "has no commits"),
    ):
        with pytest.raises(DataError, match=told):
            list(derive(kind, source))
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="no archive"):
        list(derive("tests", tmp_path / "a.txt"))


def test_every_kind_has_an_instruction() -> None:
    assert all(instruction_of(kind).endswith("\n") for kind in KINDS)
