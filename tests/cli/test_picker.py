"""`c2llm` alone at a terminal: a search box. A real process, a real pseudo-terminal, and a screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Program

pyte = pytest.importorskip("pyte")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no pseudo-terminals")

from tests.terminal import Terminal  # noqa: E402 - it needs pyte

DOWN, ESC, ENTER = "\x1b[B", "\x1b", "\r"


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that writes down how it was called."""
    script = tmp_path / "ed.py"
    script.write_text(f"import sys\nopen({str(tmp_path / 'opened')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n")
    return script


@pytest.fixture
def box(c2llm: Program, project: Path, editor: Path) -> Iterator[Terminal]:
    env = c2llm.environment(EDITOR=f"{sys.executable} {editor}")
    terminal = Terminal(c2llm.command(), project, env)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.slow
def test_results_come_while_one_types_and_enter_opens_the_editor_at_the_line(
    box: Terminal, tmp_path: Path, project: Path
) -> None:
    box.until(lambda rows: "F1" in rows[-1])
    box.type("ignore rules")
    rows = box.until(lambda rows: rows[1].startswith("> app/ignore.py:4") and "result" in rows[-1])
    assert rows[0].startswith("? ignore rules")
    assert any("rule.matches(path)" in row for row in rows[12:])
    box.type(ENTER)
    box.until(lambda _: (tmp_path / "opened").is_file() and (tmp_path / "opened").read_text().endswith("\n"))
    assert (tmp_path / "opened").read_text() == f"+4 {project / 'app/ignore.py'}\n"
    box.until(lambda rows: rows[1].startswith("> app/ignore.py:4"))  # back, with the query
    box.type(ESC)
    assert box.wait() == 130


@pytest.mark.slow
def test_another_row_is_copied_and_printed(box: Terminal) -> None:
    box.type("total price of items")
    rows = box.until(lambda rows: rows[1].startswith("> app/invoices.py") and rows[2].strip() != "")
    second = rows[2].split()[0]
    box.type(DOWN)
    box.until(lambda rows: rows[2].startswith(f"> {second}"))
    box.type("\x19")
    box.until(lambda rows: f"Copied {second}" in rows[-1])
    assert b"\x1b]52;c;" in box.written
    box.type("\x0f")
    assert box.wait() == 0
    assert second in [row.strip() for row in box.screen.display]


@pytest.mark.slow
def test_filters_are_completed_and_a_wrong_one_is_explained(box: Terminal) -> None:
    box.type("retry kind:fu\t")
    box.until(lambda rows: rows[0].startswith("? retry kind:function") and rows[1].startswith("> web/retry.ts"))
    box.type("kind:func ")
    box.until(lambda rows: "func" in rows[-1] and "function" in rows[-1])
    box.type("\x15lang:go jobs")
    box.until(lambda rows: rows[1].startswith("> core/queue.go"))


@pytest.mark.slow
def test_one_key_limits_the_search_and_takes_the_limit_away(box: Terminal, project: Path) -> None:
    box.type("total price of items")
    box.until(lambda rows: rows[1].startswith("> app/invoices.py"))
    box.type("\x1bc")
    box.until(lambda rows: rows[0].startswith("? in:changed total") and "in no git repository" in rows[-1])
    box.type("\x1bc")
    box.until(lambda rows: rows[0].startswith("? total") and rows[1].startswith("> app/invoices.py"))


@pytest.mark.slow
def test_without_colors_nothing_is_colored(c2llm: Program, project: Path) -> None:
    terminal = Terminal(c2llm.command("search", "-i", "ignore rules"), project, c2llm.environment(NO_COLOR="1"))
    try:
        terminal.until(lambda rows: rows[1].startswith("> app/ignore.py"))
        cells = [cell for line in terminal.screen.buffer.values() for cell in line.values()]
        assert {(cell.fg, cell.bg) for cell in cells} == {("default", "default")}
        terminal.type("\x03")
        assert terminal.wait() == 130
    finally:
        terminal.close()


def test_without_a_terminal_a_query_is_asked_for(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "--interactive", cwd=project)
    assert done.code == 2
    assert "needs a terminal" in done.err
