from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from retrieval.training.changes import (
    change_pairs,
    clean_message,
    find_repositories,
    licence_of_repository,
    mine_changes,
    repository_name,
)
from retrieval.training.decontamination import ExcludedCode
from retrieval.training.extraction import Pair
from retrieval.training.tasks import DataError

LICENCE = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
BEFORE = """class Reader:
    def read(self, path):
        handle = open(path)
        self.last = path
        text = handle.read()
        self.count += len(text.splitlines())
        return text.rstrip()

    def close(self, handle):
        handle.close()
        self.closed = True
"""
AFTER = BEFORE.replace("open(path)", "open(path, encoding='utf-8')")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def repository(folder: Path, *commits: tuple[str, Mapping[str, str]]) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    for message, files in commits:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", message)
    return folder


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    return repository(
        tmp_path / "reader",
        ("first version of the reader", {"src/reader.py": BEFORE, "LICENSE": LICENCE, "tests/test_reader.py": BEFORE}),
        (
            "fix(reader): accents are read wrongly on Windows (#12)\n\nThe locale was used.\n\nFixes: #12",
            {"src/reader.py": AFTER, "tests/test_reader.py": AFTER},
        ),
        ("Bump version to 2.0 for the release", {"src/reader.py": AFTER.replace("True", "False")}),
    )


def test_a_message_finds_the_function_as_it_was_before_the_change(changed: Path) -> None:
    assert list(change_pairs(changed)) == [
        Pair(
            "python",
            "src/reader.py",
            "Reader.read",
            "accents are read wrongly on Windows\nThe locale was used.",
            dedent(BEFORE[BEFORE.index("    def read") : BEFORE.index("    def close")]).strip(),
        )
    ]


def test_a_change_of_many_files_or_functions_says_little_about_each(tmp_path: Path) -> None:
    many = "".join(f"def number_{n}(first, second):\n    return first + second + {n}\n\n\n" for n in range(9))
    files = {f"f{n}.py": BEFORE for n in range(9)} | {"many.py": many}
    made = repository(
        tmp_path / "made",
        ("make all of the files", files),
        ("read all files in one encoding", {f"f{n}.py": AFTER for n in range(9)}),
        ("add numbers the other way round", {"many.py": many.replace("first + second", "second + first")}),
    )
    assert list(change_pairs(made)) == []


def test_a_folder_without_history_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no commits"):
        list(change_pairs(tmp_path))


@pytest.mark.parametrize(
    ("message", "cleaned"),
    [
        ("[core] Handle empty lines (#4)", "Handle empty lines"),
        ("feat(cli)!: add a flag\n\nSigned-off-by: A <a@b.c>", "add a flag"),
        ("Read twice\n\n* once for names\n* once for lines\n\nmore", "Read twice\nonce for names once for lines"),
        ("See https://a.b/c for why", "See  for why"),
    ],
)
def test_prefixes_references_and_trailers_are_no_words_of_a_question(message: str, cleaned: str) -> None:
    subject, _, body = message.partition("\n")
    assert clean_message(subject, body) == cleaned


def test_repositories_without_a_permissive_licence_and_excluded_ones_are_left_out(
    changed: Path, tmp_path: Path
) -> None:
    closed = repository(tmp_path / "closed", ("one", {"a.py": BEFORE}), ("read in one encoding", {"a.py": AFTER}))
    excluded = repository(tmp_path / "flask" / ".git", ("one", {"a.py": BEFORE, "LICENSE": LICENCE}))
    assert [licence_of_repository(one) for one in (changed, closed)] == ["MIT", ""]
    mine_changes([changed, closed, excluded], tmp_path / "out", ExcludedCode())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["reader.jsonl"]
    row = json.loads((tmp_path / "out" / "reader.jsonl").read_text())
    assert (row["package"], row["qualified"]) == ("reader", "Reader.read")
    assert repository_name(excluded) == "flask"


def test_code_of_an_excluded_project_is_no_pair_and_mined_repositories_are_not_read_again(
    changed: Path, tmp_path: Path
) -> None:
    mine_changes([changed], tmp_path / "out", ExcludedCode([BEFORE]))
    assert (tmp_path / "out" / "reader.jsonl").read_text() == ""
    mine_changes([changed], tmp_path / "out", ExcludedCode())
    assert (tmp_path / "out" / "reader.jsonl").read_text() == ""


def test_repositories_are_found_with_and_without_a_work_tree(changed: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(changed), str(tmp_path / "owner" / "bare")], check=True)
    assert [repository_name(one) for one in find_repositories(tmp_path)] == ["bare", "reader"]
