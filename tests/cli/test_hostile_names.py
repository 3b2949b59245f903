"""What every command prints of a workspace whose names and texts are made for terminals and readers: no control, no forged line."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest

from tests.cli.program import Program, Result

CODE = """def send_request{0}(server):
    # Send the request \x1b[32m\u202e to the server.
    return "\x1b]0;title\x07\u2066"
"""
NAMES = [
    "ev\x1b[31mil.py",
    "a\n## forged.py",
    "b\u202egpj.py",
    "c\u200b.py",
    "`d`.py",
    "e](x).md",
    "\x1b]0;t\x07.vue",
    "plain.py",
]
UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
FORGED = re.compile(r"^#+ *forged", re.MULTILINE)
QUERY = "send the request to the server"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    root = tmp_path / "work\n## forged"
    inner = root / "di\x1b[1mr\n## forged"
    inner.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (root / name).write_text(CODE.format("" if number % 2 else number))  # every second one is a copy
    (inner / "f.py").write_text("def other_thing():\n    return 1\n")
    (root / "bin\x1b[31m.dat").write_bytes(b"\0\1" * 50)
    (root / "key\n## forged.pem").write_text("x")
    (root / "min\x1b.min.js").write_text("var a=1;" * 10)
    (root / "latin\x1b.py").write_bytes(b"# caf\xe9 \xff\xfe\n")
    (root / "li\x1b[5mnk").symlink_to("/etc/passwd")
    return root


COMMANDS: list[tuple[str, ...]] = [
    ("index", "--skipped"),
    ("index", "--skipped", "--json"),
    ("status",),
    ("search", QUERY),
    ("search", "--explain", QUERY),
    ("search", "--json", QUERY),
    ("search", '"no such \x1b[31m quotation"'),
    ("search", "--grep", "(\x1b[31m", QUERY),
    ("search", "--lang", "no\x1b[31m", QUERY),
    ("search", "--path", "*\x1b[31m\n## forged*", QUERY),
    ("similar", "plain.py:1"),
    ("similar", "a\n## forged.py:1"),
    ("similar", "none\x1b[31m\n## forged.py:1"),
    ("context", QUERY),
    ("context", "--json", QUERY),
    ("ask", QUERY),
    ("ask", "--llm", "no\x1b[31m\n## forged", QUERY),
    ("explain", "none\x1b[31m\n## forged.py:1"),
    ("callers", "send_request0"),
    ("outline",),
    ("outline", "--json"),
    ("outline", "a\n## forged.py"),
    ("references", "send_request0"),
    ("references", "--json", "send_request"),
    ("callees", "plain.py:1"),
    ("callers", "no\x1b[31m\n## forged"),
    ("callers", "nothing\x1b[31m"),
    ("chunks", "key\n## forged.pem"),
    ("install-agent", "--dry-run", "windsurf"),
    ("install-agent", "--dry-run", "--project", "claude"),
    ("install-agent", "no\x1b[31m\n## forged"),
    ("savings",),
    ("clear", "--yes"),
]


def check(arguments: tuple[str, ...], result: Result) -> None:
    for printed in (result.out, result.err):
        unsafe = {c for c in printed if unicodedata.category(c) in UNSAFE and c != "\n"}
        assert not unsafe, (arguments, unsafe, printed)
        assert not FORGED.search(printed), (arguments, printed)


@pytest.mark.slow
def test_no_command_prints_a_control_or_a_forged_line(c2llm: Program, hostile: Path) -> None:
    for arguments in COMMANDS:
        check(arguments, c2llm(*arguments, cwd=hostile))
    found = c2llm("search", QUERY, cwd=hostile)
    assert "send_request" in found.out
    check(("search",), found)


@pytest.mark.parametrize("name", NAMES)
def test_the_cuts_of_a_file_are_shown_in_lines_of_their_own(c2llm: Program, hostile: Path, name: str) -> None:
    check((name,), c2llm("chunks", name, cwd=hostile))


def test_answers_of_a_batch_are_a_line_each(c2llm: Program, hostile: Path) -> None:
    asked = [json.dumps({"query": QUERY}), json.dumps({"q\x1b": 1}), "\x1b[31m"]
    result = c2llm("batch", cwd=hostile, stdin="\n".join(asked) + "\n")
    check(("batch",), result)
    answers = [line for line in result.out.split("\n") if line.startswith("{")]
    assert len([json.loads(answer) for answer in answers]) == len(asked)
