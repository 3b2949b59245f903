"""`c2llm context`: Markdown for an assistant, and what a person is told beside it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from c2llm_lsp.cli.location import is_location, parse_location
from tests.cli.program import Program


def test_a_question_gets_cited_code_and_the_count_apart(c2llm: Program, project: Path) -> None:
    result = c2llm("context", "ignore rules", cwd=project)
    assert result.code == 0
    assert result.out.startswith("### `app/ignore.py:1-9`")
    assert "def apply_ignore_rules" in result.out
    assert "tokens (estimated): " in result.err and "tokens" not in result.out


def test_lines_of_a_file_come_first_whatever_the_folder(c2llm: Program, project: Path) -> None:
    result = c2llm("context", "invoices.py:4-7", project, "-k", "2", cwd=project / "app")
    assert result.out.startswith("### `app/invoices.py:")
    assert result.out.count("class Invoice:") == 1


def test_the_budget_is_kept_and_what_is_left_out_is_said(c2llm: Program, project: Path) -> None:
    found = json.loads(c2llm("context", "ignore rules", "--budget", "90", "--json", cwd=project).out)
    assert found["tokens"] <= 90 == found["budget"]
    assert len(found["pieces"]) >= 1
    assert all(f"### `{piece['path']}:" in found["text"] for piece in found["pieces"])
    nothing = c2llm("context", "ignore rules", "--budget", "3", cwd=project)
    assert (nothing.code, nothing.out) == (1, "")
    assert "Nothing fits into 3 tokens." in nothing.err


def test_a_question_that_looks_like_a_place_is_one_where_the_file_is_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert is_location("app/ignore.py:4") and is_location("app/ignore.py:4-9") and is_location("app/ignore.py:4:9")
    assert (
        not is_location("why does gone.py:4 fail") and not is_location("app/ignore.py") and not is_location("gone.py:3")
    )


@pytest.mark.parametrize(("where", "start", "end"), [(":4", 4, 4), (":4-9", 4, 9), (":4:20", 4, 4), (":9-4", 9, 9)])
def test_lines_are_read_as_search_and_compilers_write_them(tmp_path: Path, where: str, start: int, end: int) -> None:
    (tmp_path / "a b.py").write_text("x\n" * 9)
    lines = parse_location(f"{tmp_path}/a b.py{where}")
    assert (lines.file, lines.start, lines.end) == (tmp_path / "a b.py", start, end)


@pytest.mark.slow
def test_controls_in_code_are_shown_and_never_printed(c2llm: Program, project: Path) -> None:
    (project / "bell.py").write_text("BELL = '\x1b]0;owned\x07'\n")
    for run in (c2llm, c2llm.on_terminal):
        out = run("context", "bell owned", "-k", "1", cwd=project).out
        assert "␛]0;owned␇" in out and "\x1b]0;owned" not in out


def test_an_empty_question_is_refused(c2llm: Program, project: Path) -> None:
    result = c2llm("context", " ", cwd=project)
    assert result.code == 2 and "empty" in result.err


def test_the_formats_are_one_context_written_in_three_ways(c2llm: Program, project: Path) -> None:
    xml, as_json = (c2llm("context", "ignore rules", "--format", name, cwd=project).out for name in ("xml", "json"))
    (first, *_) = ElementTree.fromstring(xml)
    assert first.attrib["path"] == json.loads(as_json)["pieces"][0]["path"] == "app/ignore.py"
    wrong = c2llm("context", "ignore rules", "--format", "yaml", cwd=project)
    assert (wrong.code, wrong.out) == (2, "") and "formats are markdown, xml, json" in wrong.err


@pytest.mark.parametrize("budget", ["0", "-5"])
def test_a_budget_below_one_is_refused(c2llm: Program, project: Path, budget: str) -> None:
    result = c2llm("context", "ignore rules", "--budget", budget, cwd=project)
    assert (result.code, result.out) == (2, "") and "--budget" in result.err and "Traceback" not in result.err


def test_an_empty_workspace_is_said_to_be_empty(c2llm: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = c2llm("context", "anything", tmp_path / "empty")
    assert (result.code, result.out) == (1, "") and "The index is empty" in result.err


def test_tokens_are_counted_by_the_tokenizer_that_is_named(c2llm: Program, project: Path) -> None:
    exact = c2llm("context", "ignore rules", "--tokenizer", "cl100k_base", cwd=project)
    assert "tokens (cl100k_base): " in exact.err
    for name, said in (
        ("no-such-model", "There is no tokenizer for"),
        ("gone/tokenizer.json", "There is no tokenizer gone"),
    ):
        wrong = c2llm("context", "ignore rules", "--tokenizer", name, cwd=project)
        assert wrong.code == 2 and said in wrong.err
