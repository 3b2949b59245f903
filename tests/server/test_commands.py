"""Code actions and commands over stdio: what is offered, what comes back, and what the person is shown."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.server.client import Client, Unanswered
from tests.server.editing import Opened, Serve, enter

SIMILAR, CONTEXT, SEARCH = "c2llm.server.similar", "c2llm.server.context", "c2llm.server.search"
LITERALS = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["refactor"]}}}
SHOWS = {"window": {"showDocument": {"support": True}, "workDoneProgress": True}}


def start(serve: Serve, project: Path, **can: Any) -> Opened:
    client = serve()
    client.initialize(can={"workspace": {"workspaceFolders": True}, **can})
    folder = enter(client, project)
    folder.settled()
    return folder


def execute(client: Client, command: str, *arguments: Any) -> Any:
    return client.ask("workspace/executeCommand", {"command": command, "arguments": list(arguments)})


def actions(folder: Opened, path: str, **context: Any) -> Any:
    place = {"line": 5, "character": 4}
    return folder.client.ask(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": folder.uri_of(path)},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": [], **context},
        },
    )


@pytest.fixture
def editor(serve: Serve, project: Path) -> Opened:
    """An editor that shows documents, and knows code actions."""
    return start(serve, project, **SHOWS, textDocument={"codeAction": LITERALS})


def test_actions_are_offered_where_they_are_asked_for(editor: Opened) -> None:
    offered = actions(editor, "app/ignore.py")
    assert [action["title"] for action in offered] == ["Find similar code", "Copy as context for an assistant"]
    assert all(action["kind"].startswith("refactor.") for action in offered)
    assert [action["title"] for action in actions(editor, "app/ignore.py", only=["refactor"])] == [
        action["title"] for action in offered
    ]
    assert len(actions(editor, "app/ignore.py", only=["refactor.c2llm.similar"])) == 1
    assert actions(editor, "app/ignore.py", only=["quickfix", "refactor.c2llm.sim", "source"]) == []
    assert actions(editor, "app/ignore.py", triggerKind=2) == []
    assert actions(editor, "/elsewhere.py") == []


def test_an_action_runs_as_it_was_offered_in_files_and_in_untitled_buffers(editor: Opened) -> None:
    editor.open("untitled:Untitled-1", "def apply_ignore_rules(path, rules):\n    return rules.match(path)\n")
    for path in ("app/ignore.py", "untitled:Untitled-1"):
        for action in actions(editor, path):
            result = execute(editor.client, action["command"]["command"], *action["command"]["arguments"])
            assert result["freshness"]["files"] and result.get("hits", result.get("pieces")), action


def test_old_clients_get_plain_commands(serve: Serve, project: Path) -> None:
    offered = actions(start(serve, project), "app/ignore.py")
    assert [action["command"] for action in offered] == [SIMILAR, CONTEXT]


def test_a_picked_result_is_shown(editor: Opened) -> None:
    client = editor.client
    client.replies["window/showMessageRequest"] = lambda asked: asked["actions"][0]
    client.replies["window/showDocument"] = lambda _: {"success": True}
    result = execute(client, SEARCH, "apply", "ignore rules")
    assert result["hits"][0]["path"] == "app/ignore.py"
    asked = client.hear("window/showMessageRequest")
    assert "apply ignore rules" in asked["message"]
    assert asked["actions"][0]["title"] == "app/ignore.py:4 apply_ignore_rules"
    shown = client.hear("window/showDocument")
    assert shown["uri"] == result["hits"][0]["uri"]
    assert shown["selection"]["start"] == {"line": 3, "character": 4} == shown["selection"]["end"]


def test_a_client_that_never_answers_holds_up_nothing(editor: Opened) -> None:
    client = editor.client
    client.replies["window/showMessageRequest"] = lambda _: Unanswered
    client.replies["window/showDocument"] = lambda _: Unanswered
    for _ in range(3):
        assert execute(client, SEARCH, {"query": "ignore rules"})["hits"]
        assert execute(client, CONTEXT, {"query": "ignore rules"})["file"]
    client.leave()


def test_a_client_that_shows_nothing_gets_messages(serve: Serve, project: Path) -> None:
    client = start(serve, project).client
    execute(client, SEARCH, {"query": "ignore rules", "limit": 2})
    said = client.hear("window/showMessage", lambda said: "ignore rules" in said["message"])["message"]
    assert said.splitlines()[1] == "app/ignore.py:4 apply_ignore_rules"
    assert not client.heard("window/showMessageRequest")


def test_a_client_that_does_not_know_the_question_gets_messages(editor: Opened) -> None:
    client = editor.client
    client.replies["window/showDocument"] = lambda _: {"success": False}
    client.replies["window/showMessageRequest"] = lambda _: Unanswered
    execute(client, SEARCH, {"query": "ignore rules"})
    asked = client.eventually(
        lambda: next((m for m in client.said if m["method"] == "window/showMessageRequest"), None)
    )
    client.send({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "Method not found"}})
    client.hear("window/showMessage", lambda said: "app/ignore.py:4" in said["message"])


@pytest.mark.parametrize("answer", [5, "app/ignore.py:4", [], {"label": "x"}])
def test_an_answer_that_is_none_of_the_protocols_is_one_all_the_same(editor: Opened, answer: Any) -> None:
    client = editor.client
    client.replies["window/showMessageRequest"] = lambda _: answer
    client.replies["window/showDocument"] = lambda _: answer
    execute(client, SEARCH, {"query": "ignore rules"})
    client.hear("window/showMessage", lambda said: "app/ignore.py:4" in said["message"])


def test_a_client_that_shows_documents_and_no_choice_opens_a_list(editor: Opened) -> None:
    """As Helix: each line is a place that it can go to."""
    client = editor.client
    client.replies["window/showMessageRequest"] = lambda _: Unanswered
    client.replies["window/showDocument"] = lambda _: {"success": True}
    result = execute(client, SEARCH, {"query": "ignore rules"})
    asked = client.eventually(
        lambda: next((m for m in client.said if m["method"] == "window/showMessageRequest"), None)
    )
    client.send({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "Method not found"}})
    listed = Path(unquote(urlsplit(client.hear("window/showDocument")["uri"]).path)).read_text().splitlines()
    assert listed[2] == f"{unquote(urlsplit(result['hits'][0]['uri']).path)}:4:5 apply_ignore_rules"
    assert len(listed) == 2 + len(result["hits"])


def test_a_context_opens_as_a_file_that_nobody_else_reads(editor: Opened) -> None:
    client = editor.client
    result = execute(client, CONTEXT, {"query": "ignore rules", "budget": 500})
    path = Path(unquote(urlsplit(result["file"]).path))
    assert path.read_text() == result["text"] and "`app/ignore.py:" in result["text"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert client.hear("window/showDocument")["uri"] == result["file"]
    client.hear("window/showMessage", lambda said: str(path) in said["message"])


def test_where_nothing_is_found_no_file_is_written(editor: Opened) -> None:
    result = execute(editor.client, CONTEXT, {"query": "ignore rules", "paths": ["nowhere/"]})
    assert (result["pieces"], result["file"]) == ([], "")
    editor.client.hear(
        "window/showMessage", lambda said: "No indexed file matches the path nowhere/." in said["message"]
    )


def test_reindexing_takes_up_what_was_cancelled_and_what_could_not_be_opened(editor: Opened, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    later = enter(editor.client, gone)
    editor.client.eventually(lambda: later.state()["state"] == "failed")
    assert actions(later, "a.py") == []
    gone.mkdir()
    (gone / "a.py").write_text("def back_again():\n    return 'here'\n")
    execute(editor.client, "c2llm.server.reindex")
    later.settled()
    assert later.paths("back again") == ["a.py"]


def test_the_status_is_said(editor: Opened) -> None:
    answer = execute(editor.client, "c2llm.server.status")
    assert answer["folders"][0]["state"] == "ready"
    editor.client.hear("window/showMessage", lambda said: said["message"].startswith("project: ready. 5 files"))


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        (SIMILAR, [], "needs `text`"),
        (CONTEXT, [], "needs a `query`"),
        (SEARCH, [], "missing required field `query`"),
        (SEARCH, [""], "query is empty"),
        (SEARCH, [7], "Expected `object`"),
        (SEARCH, [{"query": "a", "limit": 0}], "limit"),
        (SIMILAR, [{}, {}], "takes one argument"),
        (SIMILAR, [{"textDocument": {"uri": "file:///elsewhere.py"}, "position": {"line": 0, "character": 0}}], "none of"),
        ("c2llm.server.reindex", [{"folder": "file:///elsewhere"}], "not an open folder"),
        ("c2llm.server.none", [], "no command c2llm.server.none"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_argument_is_said(opened: Opened, command: str, arguments: list[Any], said: str) -> None:
    asked = {"command": command, "arguments": arguments}
    error = opened.client.refused("workspace/executeCommand", asked)
    assert said in error["message"] and error["code"] in (-32602, -32601)
