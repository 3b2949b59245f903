"""`c2llm savings`: what is counted, what is not, and that it can be turned off."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from c2llm_lsp import savings
from tests.cli.conftest import c2llm, project
from tests.cli.program import Program

__all__ = ["c2llm", "project"]

DAY = date(2026, 3, 31)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("C2LLM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "a.py").write_text("x" * 5_000)
    return tmp_path


def test_answers_are_summed_by_day(counted: Path) -> None:
    for ago in (0, 1, 6, 7, 40):
        savings.count("one two", counted, ["a.py", "a.py", "gone.py"], today=DAY - timedelta(days=ago))
    sums = savings.periods(DAY)
    assert {name: each.answers for name, each in sums.items()} == {"today": 1, "7 days": 3, "30 days": 4, "all": 5}
    assert sums["today"].files == 5_000 // savings.BYTES_PER_TOKEN
    assert sums["today"].saved == sums["today"].files - sums["today"].shown


def test_neither_queries_nor_paths_are_kept_and_only_the_owner_reads_it(counted: Path) -> None:
    savings.count("SECRET", counted, ["a.py"], today=DAY)
    file = counted / "data" / savings.FILE
    assert set(json.loads(file.read_text())) == {"day", "shown", "files"}
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o077 == 0


def test_a_broken_file_or_folder_fails_no_answer(counted: Path) -> None:
    folder = counted / "data"
    savings.count("x", counted, ["a.py"], today=DAY)
    with (folder / savings.FILE).open("a") as file:
        file.write('{"day": 1}\nnot json\n{"day": "2026-03-31", "shown": "x", "files": 1}\n[[[\n')
        file.write('{"day": "2026-03-31", "shown": Infinity, "files": 1}\n')
    assert savings.periods(DAY)["all"].answers == 1
    assert savings.clear()
    assert not savings.clear()
    folder.rmdir()
    folder.write_text("a file in its place")
    savings.count("x", counted, ["a.py"])
    assert savings.days() == {}


@pytest.mark.slow
def test_the_command_shows_counts_and_the_setting_turns_them_off(c2llm: Program, project: Path) -> None:
    off = {"C2LLM_SAVINGS": "false"}
    c2llm("context", "ignore rule excludes the path", project, environ=off)
    assert c2llm("savings", environ=off).out == "Counting is off: the setting savings.\n"
    c2llm("context", "ignore rule excludes the path", project)
    shown = c2llm("savings")
    assert (shown.code, shown.out.splitlines()[1].split()[:2]) == (0, ["today", "1"])
    assert json.loads(c2llm("savings", "--json").out)["periods"]["all"]["answers"] == 1
    assert c2llm("savings", "--clear").out == "Deleted.\n"
    assert c2llm("savings").code == 1
