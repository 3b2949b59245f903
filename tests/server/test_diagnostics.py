"""Hints at near duplicates over stdio: off by default, there after a pause, gone with what they were about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.editing import Opened, Serve, enter

TOTAL = '''def total_of(items, taxes):
    """Sum with taxes."""
    total = 0
    for item in items:
        if item.price is None:
            raise ValueError("no price")
        total += item.price * item.count
    for tax in taxes:
        total += tax.of(total)
    return total
'''
COPY = "# 🎉\n\n\n" + TOTAL.replace("total_of", "sum_of").replace("Sum with", "All the")
METHOD = "textDocument/publishDiagnostics"


def begin(serve: Serve, project: Path, *, on: bool = True, **can: Any) -> Opened:
    (project / "app" / "total.py").write_text(TOTAL)
    client = serve()
    publishes = {
        "textDocument": {"publishDiagnostics": {"relatedInformation": True}},
        "workspace": {"configuration": False},
    }
    client.initialize(project, can={**publishes, **can}, options={"nearDuplicates": on}, encodings=["utf-16"])
    client.ready()
    return Opened(client, project)


@pytest.fixture
def editor(serve: Serve, project: Path) -> Opened:
    return begin(serve, project)


def hints(folder: Opened, path: str, *, some: bool, since: int = 0) -> Any:
    """The next hints of a document, or that it has none any more."""
    told = folder.client.hear(
        METHOD, lambda told: told["uri"] == folder.uri_of(path) and bool(told["diagnostics"]) == some, since=since
    )
    return told["diagnostics"]


def test_a_copy_in_a_buffer_is_hinted_at_with_the_other_place(editor: Opened) -> None:
    editor.open("app/copy.py", COPY)
    (hint,) = hints(editor, "app/copy.py", some=True)
    assert (hint["severity"], hint["source"], hint["code"]) == (4, "c2llm", "near-duplicate")
    assert hint["message"].startswith("Almost the same as total_of in app/total.py:1 (9")
    assert hint["range"] == {"start": {"line": 3, "character": 4}, "end": {"line": 3, "character": 25}}
    (related,) = hint["relatedInformation"]
    assert related["location"]["uri"] == editor.uri_of("app/total.py")
    assert related["location"]["range"]["end"] == {"line": 9, "character": 16}


@pytest.mark.slow
def test_hints_go_when_the_code_is_changed_and_when_the_document_is_closed(editor: Opened) -> None:
    editor.open("app/copy.py", COPY)
    hints(editor, "app/copy.py", some=True)
    editor.change("app/copy.py", "def other():\n    return 1\n")
    hints(editor, "app/copy.py", some=False)
    since = len(editor.client.said)
    editor.change("app/copy.py", COPY)
    hints(editor, "app/copy.py", some=True, since=since)
    since = len(editor.client.said)
    editor.close("app/copy.py")
    hints(editor, "app/copy.py", some=False, since=since)


@pytest.mark.slow
def test_hints_go_when_the_other_place_is_gone(editor: Opened) -> None:
    editor.open("app/copy.py", COPY)
    hints(editor, "app/copy.py", some=True)
    (editor.root / "app" / "total.py").unlink()
    hints(editor, "app/copy.py", some=False)


def test_the_setting_is_off_at_first_and_changes_live(serve: Serve, project: Path) -> None:
    editor = begin(serve, project, on=False)
    editor.open("app/copy.py", COPY)
    editor.client.ready()
    change = "workspace/didChangeConfiguration"
    editor.client.notify(change, {"settings": {"c2llm": {"nearDuplicates": True}}})
    hints(editor, "app/copy.py", some=True)
    assert len(editor.client.heard(METHOD)) == 1
    editor.client.notify(change, {"settings": {"c2llm": {"nearDuplicates": False}}})
    hints(editor, "app/copy.py", some=False)


@pytest.mark.slow
def test_clients_that_show_no_related_places_get_the_message_alone(serve: Serve, project: Path) -> None:
    editor = begin(serve, project, textDocument={"publishDiagnostics": {}})
    editor.open("app/copy.py", COPY)
    (hint,) = hints(editor, "app/copy.py", some=True)
    assert "relatedInformation" not in hint


@pytest.mark.slow
def test_hints_go_with_their_folder_and_come_back_with_it(editor: Opened) -> None:
    editor.open("app/copy.py", COPY)
    hints(editor, "app/copy.py", some=True)
    editor.leave()
    hints(editor, "app/copy.py", some=False)
    since = len(editor.client.said)
    enter(editor.client, editor.root)
    hints(editor, "app/copy.py", some=True, since=since)


@pytest.mark.slow
def test_hints_stay_where_a_folder_around_the_one_that_goes_has_the_document_too(editor: Opened) -> None:
    inner = enter(editor.client, editor.root / "app")
    inner.settled()
    editor.open("app/copy.py", COPY)
    hints(editor, "app/copy.py", some=True)
    since = len(editor.client.said)
    inner.leave()
    (hint,) = hints(editor, "app/copy.py", some=True, since=since)
    assert "app/total.py" in hint["message"]
