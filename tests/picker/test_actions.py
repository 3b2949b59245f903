"""How editors are told the line, and what is copied."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from c2llm_lsp.picker import actions
from c2llm_lsp.picker.actions import NoEditorError, editor_command, osc52

FILE = Path("/project/a b.py")


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The programs on PATH."""
    there = {"vim": "/usr/bin/vim", "code": "/usr/bin/code", "hx": "/usr/bin/hx", "pycharm": "/opt/pycharm"}
    monkeypatch.setattr(actions, "find_program", there.get)
    return there


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim", ["/usr/bin/vim", "+7", "/project/a b.py"]),
        ("code --wait", ["/usr/bin/code", "--wait", "--goto", "/project/a b.py:7"]),
        ("hx", ["/usr/bin/hx", "/project/a b.py:7"]),
        ("pycharm", ["/opt/pycharm", "--line", "7", "/project/a b.py"]),
        ("'/opt/my editor/vim' -R", ["/opt/my editor/vim", "-R", "+7", "/project/a b.py"]),
        ("", ["/usr/bin/vim", "+7", "/project/a b.py"]),
    ],
)
def test_the_line_is_told_as_each_editor_wants_it(editor: str, command: list[str]) -> None:
    assert editor_command(FILE, 7, {"EDITOR": editor}) == command


def test_visual_comes_before_editor() -> None:
    assert editor_command(FILE, 7, {"VISUAL": "hx", "EDITOR": "vim"})[0] == "/usr/bin/hx"


@pytest.mark.parametrize(("editor", "told"), [("missing", "no program missing"), ("vim 'x", "quotation mark")])
def test_an_editor_that_cannot_be_run_is_a_clear_error(editor: str, told: str) -> None:
    with pytest.raises(NoEditorError, match=told):
        editor_command(FILE, 7, {"EDITOR": editor})


def test_without_any_editor_the_variable_is_named(programs: dict[str, str]) -> None:
    programs.clear()
    with pytest.raises(NoEditorError, match=r"Set \$EDITOR"):
        editor_command(FILE, 7, {})


def test_what_is_copied_cannot_end_the_sequence() -> None:
    text = 'a\x07b\x1b\\"é'
    sequence = osc52(text)
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\a")
    assert base64.b64decode(sequence[7:-1]).decode() == text
