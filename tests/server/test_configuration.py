"""Settings of the editor: at the start, asked for, changed live, wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import lay_out
from tests.server.client import Client, Unanswered, framed
from tests.server.editing import Faults, Opened, Serve

CAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n"
ASKED = {"workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}}


def changed(client: Client, settings: Any) -> None:
    client.notify("workspace/didChangeConfiguration", {"settings": settings})


@pytest.mark.parametrize("wrap", [lambda table: table, lambda table: {"c2llm": table}], ids=["bare", "in a section"])
@pytest.mark.parametrize("name", ["max_file_bytes", "maxFileBytes"])
def test_settings_come_with_initialize_under_either_name(serve: Serve, project: Path, wrap: Any, name: str) -> None:
    (project / "app/large.py").write_text(CAKE + "# padding\n" * 500)
    client = serve()
    client.initialize(project, options=wrap({name: 2_000, "results": 1}))
    client.ready()
    assert len(client.search("rules")["hits"]) == 1
    assert not client.finds("bake_chocolate_cake", "app/large.py", limit=50)


@pytest.mark.slow
def test_settings_changed_live_hold_from_then_on(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    assert client.finds("apply_ignore_rules", "app/ignore.py")
    changed(client, {"c2llm": {"exclude": ["app/"], "results": 2}})
    client.eventually(lambda: not client.finds("apply_ignore_rules", "app/ignore.py"))
    client.ready()
    assert len(client.search("jobs billing retry")["hits"]) == 2
    changed(client, {"c2llm": {"max_file_bytes": 1_000}})
    client.eventually(lambda: client.finds("apply_ignore_rules", "app/ignore.py"))
    (project / "app/large.py").write_text(CAKE + "# padding\n" * 500)
    (project / "app/small.py").write_text(CAKE)
    client.eventually(lambda: client.finds("bake_chocolate_cake", "app/small.py"))
    assert not client.finds("bake_chocolate_cake", "app/large.py", limit=50)
    changed(client, {"c2llm": {"max_file_bytes": 100_000}})
    client.eventually(lambda: client.finds("bake_chocolate_cake", "app/large.py"))


NOTHING = [{}, None, [], "text", {"python": {"analysis": {}}}, {"c2llm": None}]


@pytest.mark.parametrize("pushed", NOTHING, ids=str)
def test_a_push_that_says_nothing_leaves_the_settings_as_they_are(serve: Serve, project: Path, pushed: Any) -> None:
    """Eglot pushes `{}` after each connection, others the sections of all servers."""
    client = serve(C2LLM_ENCODER="")
    client.initialize(project, options={"encoder": "overlap", "exclude": ["web/"], "results": 1})
    client.ready()
    changed(client, {"c2llm": {"results": 2}})
    client.eventually(lambda: len(client.search("rules")["hits"]) == 2)
    since = len(client.said)
    changed(client, pushed)
    client.refused("no/such")  # it is read
    answer = client.search("rules")
    assert (len(answer["hits"]), answer["encoder"]) == (2, "overlap")
    assert not client.finds("fetchWithRetry", "web/retry.ts", limit=50)
    assert {f["state"] for said in client.heard("c2llm/statusChanged", since=since) for f in said["folders"]} <= {
        "ready"
    }


def test_pushed_settings_go_before_the_options_one_by_one(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project, options={"exclude": ["web/"], "results": 1})
    client.ready()
    changed(client, {"c2llm": {"results": 3}})
    client.eventually(lambda: len(client.search("rules")["hits"]) == 3)
    assert not client.finds("fetchWithRetry", "web/retry.ts", limit=50)
    changed(client, {"c2llm": {"exclude": ["core/"]}})
    client.eventually(lambda: client.finds("fetchWithRetry", "web/retry.ts", limit=50))
    assert len(client.search("rules")["hits"]) == 1
    changed(client, {"c2llm": {}})
    client.eventually(lambda: client.finds("add a job to the queue", "core/queue.go", limit=50))
    assert not client.finds("fetchWithRetry", "web/retry.ts", limit=50)


def test_a_setting_that_is_set_no_longer_where_the_options_came_from_holds_no_longer(
    serve: Serve, project: Path
) -> None:
    """VS Code and Helix send the same settings as options and as answer or push."""
    settings: dict[str, Any] = {"exclude": ["web/"], "results": 1}
    client = serve()
    client.replies["workspace/configuration"] = lambda asked: [settings] * len(asked["items"])
    client.initialize(project, can=ASKED, options=dict(settings))
    client.ready()
    client.hear("workspace/configuration")
    settings.clear()
    changed(client, None)
    client.eventually(lambda: client.finds("fetchWithRetry", "web/retry.ts"))
    assert len(client.search("rules")["hits"]) > 1


def test_an_open_buffer_stays_found_when_settings_open_the_index_again(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    folder = Opened(client, project)
    folder.open("app/new.py", CAKE)
    assert folder.top("bake_chocolate_cake")["path"] == "app/new.py"
    changed(client, {"exclude": ["core/"]})
    client.eventually(lambda: not client.finds("add a job to the queue", "core/queue.go"))
    assert folder.top("bake_chocolate_cake")["path"] == "app/new.py"


def test_the_debounce_is_the_setting(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project, options={"debounce_ms": 60_000})
    client.ready()
    folder = Opened(client, project)
    folder.open("app/ignore.py")
    folder.change("app/ignore.py", (0, 0, 0, 0, CAKE))
    client.eventually(lambda: client.status()["folders"][0]["pendingEdits"] == 1)
    assert not client.finds("bake_chocolate_cake", "app/ignore.py", limit=1)
    changed(client, {"debounce_ms": 0})
    folder.change("app/ignore.py", (0, 0, 0, 0, "\n"))
    client.eventually(lambda: client.finds("bake_chocolate_cake", "app/ignore.py", limit=1))


def test_settings_are_asked_for_and_asked_for_again(serve: Serve, project: Path) -> None:
    settings = {"results": 1}
    client = serve()
    client.replies["workspace/configuration"] = lambda asked: [settings] * len(asked["items"])
    client.initialize(project, can=ASKED)
    client.ready()
    assert client.hear("workspace/configuration")["items"] == [{"section": "c2llm"}]
    registered = [r["method"] for said in client.heard("client/registerCapability") for r in said["registrations"]]
    assert "workspace/didChangeConfiguration" in registered
    assert len(client.search("rules")["hits"]) == 1
    settings["results"] = 3
    changed(client, None)  # what clients send that are asked
    client.eventually(lambda: len(client.search("rules")["hits"]) == 3)


@pytest.mark.parametrize("answer", [None, [], [None], ["text"], [[]], {}, Unanswered])
def test_a_client_that_gives_no_settings_harms_nothing(serve: Serve, project: Path, answer: Any) -> None:
    client = serve()
    client.replies["workspace/configuration"] = lambda _: answer
    client.initialize(project, can=ASKED, options={"results": 2})
    client.ready()
    assert len(client.search("rules")["hits"]) == 2
    assert not client.messages()


def test_wrong_settings_are_said_and_left_out(serve: Serve, project: Path) -> None:
    client = serve()
    wrong = {"results": 0, "max_file_bytes": "many", "exclude": "app/", "near_duplicates": 1, "debounce_ms": 40}
    client.initialize(project, options={**wrong, "editor.fontSize": 12, "trace": {"server": "off"}})
    client.ready()
    said = client.messages()
    for name in ("results", "max_file_bytes", "exclude", "near_duplicates"):
        assert len([text for text in said if name in text and "left out" in text]) == 1, said
    assert len(said) == 4
    assert client.finds("apply_ignore_rules", "app/ignore.py")
    changed(client, {"results": -1})
    client.hear("window/showMessage", lambda told: "-1" in told["message"])


@pytest.mark.parametrize(
    "options", [[], "text", 7, {"c2llm": 5}, {"c2llm": None}, {"exclude": [1]}, {"threads": 10**9}]
)
def test_options_of_any_shape_harm_nothing(serve: Serve, project: Path, options: Any) -> None:
    client = serve()
    client.initialize(project, options=options)
    client.ready()
    assert client.finds("apply_ignore_rules", "app/ignore.py")


def test_another_encoder_chosen_live_is_used(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    assert client.ready()["encoder"] == "overlap"
    changed(client, {"encoder": "no-such"})
    client.hear("window/showMessage", lambda said: "no-such" in said["message"])
    assert client.finds("apply_ignore_rules", "app/ignore.py")
    changed(client, {"encoder": "overlap"})
    client.eventually(lambda: client.search("rules")["encoder"] == "overlap")


def test_a_question_that_is_on_its_way_when_the_index_is_opened_again_is_answered(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("hold-queries")
    asked = client.start("c2llm/search", {"query": "apply_ignore_rules"})
    client.refused("no/such")  # it is read
    before = len(client.said)
    changed(client, {"exclude": ["web/"]})
    client.hear("c2llm/statusChanged", lambda said: said["folders"][0]["state"] == "ready", since=before)
    faults.clear("hold-queries")
    assert "app/ignore.py" in [hit["path"] for hit in client.answer(asked)["result"]["hits"]]


def test_a_setting_changed_and_changed_back_at_once_ends_as_it_was(serve: Serve, project: Path) -> None:
    """Both questions are on their way before the first one is answered."""
    answers = iter([{}, {"exclude": ["app/"]}, {"results": 1}])
    client = serve()
    client.replies["workspace/configuration"] = lambda _: [next(answers)]
    client.initialize(project, can=ASKED)
    client.ready()
    change = framed({"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": None}})
    client.raw(change + change)
    client.eventually(lambda: len(client.search("rules")["hits"]) == 1)  # the last answer has been heard
    client.eventually(lambda: client.finds("apply_ignore_rules", "app/ignore.py"))


def test_a_workspace_has_its_say_on_what_it_may(serve: Serve, project: Path, tmp_path: Path) -> None:
    lay_out(project, {".c2llm.toml": 'exclude = ["web/"]\nencoder = "evil"\n'})
    client = serve()
    client.initialize(project)
    client.ready()
    assert not client.finds("fetchWithRetry", "web/retry.ts")
    assert any("encoder" in text for text in client.messages())


def test_a_broken_settings_file_of_the_user_is_said_in_one_sentence(
    serve: Serve, project: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("results = [broken\n")
    client = serve(C2LLM_CONFIG=str(config))
    client.initialize(project)
    said = client.hear("window/showMessage")["message"]
    assert "config.toml" in said
    assert "Traceback" not in said
    assert client.status()["version"]
