"""`workspace/symbol` over stdio: questions and names, in parts, and whatever a client may send as a query."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.editing import Opened


def symbols(folder: Opened, query: str, **more: Any) -> Any:
    return folder.client.ask("workspace/symbol", {"query": query, **more})


def test_a_question_and_a_name_find_the_symbol(opened: Opened) -> None:
    for query in ("which rules ignore a path", "apply_ignore_rules"):
        first = symbols(opened, query)[0]
        assert (first["name"], first["kind"]) == ("apply_ignore_rules", 12)
        assert first["location"]["uri"] == opened.uri_of("app/ignore.py")
        assert first["location"]["range"]["start"] == {"line": 3, "character": 4}
        assert "containerName" not in first


def test_a_method_is_in_its_class_and_code_without_a_name_is_called_by_a_line(opened: Opened) -> None:
    opened.open("notes.py", "class Shelf:\n    def reach(self):\n        return 'top'\n")
    (opened.root / "limits.py").write_text("MOST_RETRIES = 7\nLONGEST_WAIT = 30\n")
    opened.client.ask("c2llm/search", {"query": "x", "waitForEdits": True})
    found = opened.client.eventually(
        lambda: [s for s in symbols(opened, "most retries") if s["location"]["uri"].endswith("limits.py")]
    )
    assert "MOST_RETRIES" in found[0]["name"] or "LONGEST_WAIT" in found[0]["name"]
    total = next(s for s in symbols(opened, "total price of an invoice") if s["name"] in ("total_price", "Invoice"))
    assert total.get("containerName", "") in ("Invoice", "")


def test_nothing_is_found_for_nothing(opened: Opened) -> None:
    assert [symbols(opened, query) for query in ("", "  \n", "\x00", "\x00 \x00")] == [[], [], [], []]


@pytest.mark.parametrize(
    "query",
    ["\ud800 rules", "rules\x00ignore", "🎉" * 50, "rules " * 2_000_000],
    ids=["surrogate", "nul", "emoji", "12 MB"],
)
def test_whatever_is_asked_is_answered(opened: Opened, query: str) -> None:
    assert isinstance(symbols(opened, query), list)


def test_parts_come_first_where_the_client_takes_them(opened: Opened) -> None:
    before = len(opened.client.said)
    whole = symbols(opened, "rules")
    assert symbols(opened, "rules", partialResultToken="parts", workDoneToken="work") == []
    told = opened.client.heard("$/progress", since=before)
    parts = [part["value"] for part in told if part["token"] == "parts"]
    assert [symbol for part in parts for symbol in part] == whole
    assert [work["value"]["kind"] for work in told if work["token"] == "work"] == ["begin", "end"]
