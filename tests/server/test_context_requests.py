"""`c2llm/context` over stdio: questions, cursors and selections, of files, buffers and several folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from c2llm_lsp.server.protocol import ContextAnswer
from tests.server.client import Client
from tests.server.editing import Opened, Serve, enter


def context(folder: Opened, **asked: Any) -> ContextAnswer:
    asked = {"folder": folder.uri, "waitForEdits": True, **asked}
    return msgspec.convert(folder.client.ask("c2llm/context", asked), ContextAnswer, strict=True)


def span(line: int, end_line: int, end_character: int = 0) -> Any:
    return {"start": {"line": line, "character": 0}, "end": {"line": end_line, "character": end_character}}


def test_a_question_is_answered_within_its_budget(opened: Opened) -> None:
    found = context(opened, query="which rules ignore a path", budget=200)
    assert found.text.startswith("### `app/ignore.py:") and "def apply_ignore_rules" in found.text
    assert 0 < found.tokens <= found.budget == 200
    first = found.pieces[0]
    assert (first.uri, first.folder, first.path) == (opened.uri_of("app/ignore.py"), opened.uri, "app/ignore.py")
    assert found.freshness.files == 5 and found.encoder == "overlap"


@pytest.mark.parametrize("is_open", [True, False])
def test_selected_lines_come_first_whether_the_file_is_open_or_not(opened: Opened, is_open: bool) -> None:
    if is_open:
        opened.open("app/ignore.py")
    found = context(
        opened, textDocument={"uri": opened.uri_of("app/ignore.py")}, range=span(5, 7), query="money of an invoice"
    )
    assert found.pieces[0].path == "app/ignore.py" and "for rule in rules" in found.text
    assert "total_price" in found.text


def test_a_cursor_selects_what_it_stands_in(opened: Opened) -> None:
    at = {"textDocument": {"uri": opened.uri_of("app/invoices.py")}, "position": {"line": 5, "character": 9}}
    found = context(opened, **at)
    assert found.pieces[0].path == "app/invoices.py" and "def total_price" in found.text


def test_what_is_typed_counts_and_columns_are_the_clients(opened: Opened) -> None:
    opened.open("party.py", "def celebrate():\r\n\treturn 'é🎉'\r\n")
    opened.change("party.py", (1, 1, 1, 1, "x = '🎉'; "))
    found = context(opened, query="celebrate party", paths=["party.py"])
    assert "x = '🎉'; return 'é🎉'" in found.text
    end = found.pieces[0].range.end
    assert (end.line, end.character) == (1, len("\tx = '🎉'; return 'é🎉'".encode()))


def test_a_selection_that_is_not_indexed_is_shown_as_the_editor_has_it(opened: Opened, tmp_path: Path) -> None:
    (opened.root / ".env").write_text("RULES=1\n")
    opened.client.notify(
        "textDocument/didOpen",
        {
            "textDocument": {
                "uri": "file:///elsewhere/x.py",
                "languageId": "py",
                "version": 1,
                "text": "ignore(rules)\n",
            }
        },
    )
    found = context(opened, textDocument={"uri": "file:///elsewhere/x.py"}, range=span(0, 1))
    assert found.text.startswith("### `x.py:1`\n```\nignore(rules)\n```")
    assert found.pieces[0].uri == "file:///elsewhere/x.py" and found.pieces[1].path == "app/ignore.py"
    refused = {"textDocument": {"uri": opened.uri_of(".env")}, "range": span(0, 1)}
    assert "cannot be read" in opened.client.refused("c2llm/context", refused)["message"]


def test_folders_are_told_apart(shared: Client, opened: Opened, tmp_path: Path) -> None:
    other = tmp_path / "other" / "project"
    other.mkdir(parents=True)
    (other / "rules.py").write_text("def ignore_rules_of_mail(rules):\n    return [r for r in rules if r.ignore]\n")
    second = enter(shared, other)
    second.settled()
    found = shared.ask("c2llm/context", {"query": "ignore rules", "budget": 2000})
    assert {piece["folder"] for piece in found["pieces"]} == {opened.uri, second.uri}
    assert "### `project/app/ignore.py:" in found["text"] and "### `project-2/rules.py:" in found["text"]
    assert {piece["path"] for piece in found["pieces"]} >= {"app/ignore.py", "rules.py"}
    second.leave()


def test_a_folder_inside_another_shows_its_files_once(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project, project / "app")
    client.ready()
    found = client.ask("c2llm/context", {"query": "apply ignore rules"})
    assert found["text"].count("def apply_ignore_rules") == 1


def test_a_folder_that_cannot_be_opened_is_a_note(serve: Serve, tmp_path: Path) -> None:
    client = serve()
    client.initialize(tmp_path / "gone")
    found = client.ask("c2llm/context", {"query": "anything"})
    assert (found["text"], found["pieces"], found["tokens"]) == ("", [], 0)
    assert "gone" in found["notes"][0]


def test_nothing_to_go_by_is_said(opened: Opened) -> None:
    assert "needs a `query`" in opened.client.refused("c2llm/context", {"query": "  "})["message"]
    assert "budget" in opened.client.refused("c2llm/context", {"query": "a", "budget": 0})["message"]
