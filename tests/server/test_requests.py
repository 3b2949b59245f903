"""The product's own requests: typed parameters, clear refusals, cancellation, and answers that say how current they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.client import Client
from tests.server.editing import Faults, Opened, Serve

INVALID_PARAMS, CANCELLED = -32602, -32800

WRONG: list[tuple[str, Any, str]] = [
    ("c2llm/search", {}, "query"),
    ("c2llm/search", None, "query"),
    ("c2llm/search", {"query": 5}, "$.query"),
    ("c2llm/search", {"query": "x", "limit": 0}, "$.limit"),
    ("c2llm/search", {"query": "x", "limit": 1_001}, "$.limit"),
    ("c2llm/search", {"query": "x", "limit": "many"}, "$.limit"),
    ("c2llm/search", {"query": "x", "languages": "python"}, "$.languages"),
    ("c2llm/search", {"query": "x", "languages": [1]}, "$.languages[0]"),
    ("c2llm/search", {"query": "x", "kinds": ["novel"]}, "$.kinds[0]"),
    ("c2llm/search", {"query": "x", "content": ["novel"]}, "$.content[0]"),
    ("c2llm/search", {"query": "x", "grep": "a(b"}, "character 2"),
    ("c2llm/search", {"query": "x", "scope": {"within": ["novel"]}}, "$.scope.within[0]"),
    ("c2llm/search", {"query": "x", "scope": {}}, "within"),
    ("c2llm/search", {"query": "x", "waitForEdits": "yes"}, "$.waitForEdits"),
    ("c2llm/search", {"query": "x", "folder": "file:///not/open"}, "not an open folder"),
    ("c2llm/search", {"query": "   "}, "query"),
    ("c2llm/similar", {}, "c2llm/similar needs"),
    ("c2llm/similar", {"text": ""}, "c2llm/similar needs"),
    ("c2llm/similar", {"textDocument": {"uri": ""}, "position": {"line": 0, "character": 0}}, "$.textDocument.uri"),
    ("c2llm/similar", {"textDocument": {"uri": "x:y"}, "position": {"line": -1, "character": 0}}, "$.position.line"),
    ("c2llm/similar", {"textDocument": {"uri": "x:y"}, "position": {"line": 0}}, "character"),
    ("c2llm/similar", {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}}, "none of the"),
    ("c2llm/symbol", {"relation": "callers"}, "c2llm/symbol needs"),
    ("c2llm/symbol", {"relation": "friends", "symbol": "x"}, "$.relation"),
    ("c2llm/symbol", {"relation": "callers", "symbol": "two words"}, "is not a symbol"),
    ("c2llm/outline", {"budget": 0}, "$.budget"),
    ("c2llm/outline", {"path": "none.py"}, "Nothing is indexed at none.py"),
    ("c2llm/outline", {"folder": "file:///not/open"}, "not an open folder"),
    ("c2llm/status", {"folder": "file:///not/open"}, "not an open folder"),
    ("c2llm/status", {"folder": 7}, "$.folder"),
    ("c2llm/status", [1], "object"),
]


@pytest.mark.parametrize(("method", "params", "place"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_parameters_are_refused_with_the_place(opened: Opened, method: str, params: Any, place: str) -> None:
    error = opened.client.refused(method, params)
    assert error["code"] == INVALID_PARAMS
    assert place in error["message"]
    assert "Traceback" not in json.dumps(error)


def test_an_answer_has_what_its_schema_says(opened: Opened) -> None:
    answer = opened.search("where are ignore rules applied", limit=3)
    assert 0 < len(answer["hits"]) <= 3
    hit = answer["hits"][0]
    assert hit["folder"] == opened.uri
    assert hit["uri"] == opened.uri_of(hit["path"])
    assert hit["score"] == max(hit["score"] for hit in answer["hits"])
    assert hit["signals"]
    assert all(hit["range"]["start"]["line"] <= n <= hit["range"]["end"]["line"] for n in hit["salientLines"])
    assert answer["encoder"] == "overlap"
    assert answer["freshness"]["files"] == 5
    assert answer["freshness"]["stale"] is False
    assert answer["freshness"]["pendingChunks"] == answer["freshness"]["pendingFiles"] == 0


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("c2llm/search", {"query": "rules"}),
        ("c2llm/similar", {"text": "def total(items): return sum(items)"}),
        ("c2llm/context", {"query": "rules"}),
    ],
)
def test_every_answer_says_how_current_it_is(opened: Opened, method: str, params: Any) -> None:
    fresh = opened.client.ask(method, params)["freshness"]
    said_of(opened, fresh)


def test_an_explanation_says_how_current_it_is(opened: Opened) -> None:
    where = {"textDocument": {"uri": opened.uri_of("app/ignore.py")}, "position": {"line": 0, "character": 0}}
    said_of(opened, opened.client.ask("c2llm/explain", where)["freshness"])


def said_of(opened: Opened, fresh: Any) -> None:
    assert set(fresh) == {"files", "chunks", "pendingFiles", "pendingChunks", "stale"}
    assert opened.state()["freshness"] == fresh


def test_filters_limit_the_answer(opened: Opened) -> None:
    for more, wanted in (
        ({"languages": ["Go"]}, {"core/queue.go"}),
        ({"paths": ["web/"]}, {"web/retry.ts"}),
        ({"paths": ["!app/", "!core/", "!web/"]}, {"README.md"}),
        ({"kinds": ["section"]}, {"README.md"}),
        ({"content": ["docs", "config"]}, {"README.md"}),
        ({"grep": "^func"}, {"core/queue.go"}),
    ):
        assert set(opened.paths("rules price retry queue billing", **more)) == wanted


def test_unknown_fields_are_passed_over(opened: Opened) -> None:
    assert opened.search("rules", fieldOfTheFuture=[1], workDoneToken=7)["hits"]


def test_similar_by_text_by_place_and_by_range(opened: Opened) -> None:
    text = (opened.root / "app/ignore.py").read_text()
    assert opened.client.ask("c2llm/similar", {"text": text})["hits"][0]["path"] == "app/ignore.py"
    document = {"uri": opened.uri_of("app/ignore.py")}
    at = {"line": 4, "character": 3}
    by_place = opened.client.ask("c2llm/similar", {"textDocument": document, "position": at, "limit": 10})["hits"]
    assert "apply_ignore_rules" not in [hit["symbol"] for hit in by_place]
    opened.open("app/ignore.py")
    span = {"start": {"line": 3, "character": 0}, "end": {"line": 9, "character": 0}}
    params = {"textDocument": document, "range": span, "limit": 10, "folder": opened.uri}
    by_range = opened.client.ask("c2llm/similar", params)["hits"]
    assert by_range
    assert "apply_ignore_rules" not in [hit["symbol"] for hit in by_range], "the lines themselves"
    params |= {"range": {"start": span["end"], "end": {"line": 10**6, "character": 0}}, "text": text}
    assert "apply_ignore_rules" in [hit["symbol"] for hit in opened.client.ask("c2llm/similar", params)["hits"]]
    opened.close("app/ignore.py")


def test_status_says_what_is_there(opened: Opened) -> None:
    status = opened.client.status()
    folder = status["folders"][0]
    assert (status["encoder"], status["protocol"]) == ("overlap", 1)
    assert folder["languages"]["python"] >= 2
    assert folder["indexBytes"] > 0
    assert folder["state"] == "ready"
    assert folder["work"] is None


def test_the_notification_tells_how_folders_stand(opened: Opened) -> None:
    said = opened.client.hear("c2llm/statusChanged", lambda said: said["folders"][-1:] != [])
    assert {"folder", "name", "state", "work", "message", "pendingEdits"} <= set(said["folders"][0])


def test_changes_within_one_interval_are_one_notification(serve_faulty: Serve, faults: Faults, project: Any) -> None:
    for number in range(100):
        (project / f"app/more_{number}.py").write_text(f"def more_{number}():\n    return {number}\n")
    faults.set("status-every", "3600")
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    assert len(faults.batches) > 5  # each a change of the state
    assert client.heard("c2llm/statusChanged") == []


@pytest.fixture
def held(serve_faulty: Serve, faults: Faults, project: Any) -> Client:
    """An indexed project whose encoder does not answer queries."""
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("hold-queries")
    return client


def test_a_cancelled_request_is_answered_at_once(held: Client) -> None:
    asked = [held.start("c2llm/search", {"query": f"held up {n}"}) for n in range(10)]  # more than are worked on
    for number in asked:
        held.notify("$/cancelRequest", {"id": number})
    for number in asked:
        assert held.answer(number)["error"]["code"] == CANCELLED
    assert held.process.poll() is None


def test_cancelled_requests_that_wait_never_run(held: Client, faults: Faults) -> None:
    running = [held.start("c2llm/search", {"query": f"running {n}"}) for n in range(4)]
    waiting = [held.start("c2llm/search", {"query": f"waiting {n}"}) for n in range(50)]
    for number in waiting:
        held.notify("$/cancelRequest", {"id": number})
        assert held.answer(number)["error"]["code"] == CANCELLED
    assert not any(held.answered(number) for number in running)
    faults.clear("hold-queries")
    assert all("result" in held.answer(number) for number in running)


def test_other_requests_of_the_standard_can_be_cancelled_too(held: Client) -> None:
    for method, params in (
        ("workspace/symbol", {"query": "held"}),
        ("c2llm/similar", {"text": "held up"}),
        ("workspace/executeCommand", {"command": "c2llm.server.search", "arguments": ["held up"]}),
    ):
        asked = held.start(method, params)
        held.notify("$/cancelRequest", {"id": asked})
        assert held.answer(asked)["error"]["code"] == CANCELLED, method


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("c2llm/search", {"query": "waits"}),
        ("c2llm/similar", {"text": "def waits(): return 1"}),
        ("c2llm/context", {"query": "waits"}),
        ("c2llm/explain", {"textDocument": {"uri": "URI"}, "position": {"line": 0, "character": 0}, "query": "waits"}),
        ("c2llm/status", {}),
        ("workspace/symbol", {"query": "waits"}),
        ("workspace/executeCommand", {"command": "c2llm.server.status", "arguments": []}),
    ],
)
def test_each_request_that_waits_can_be_cancelled(held: Client, project: Any, method: str, params: Any) -> None:
    for number in range(4):
        held.start("c2llm/search", {"query": f"held up {number}"})
    if "textDocument" in params:
        params = {**params, "textDocument": {"uri": (project / "app/ignore.py").as_uri()}}
    asked = held.start(method, params)
    held.notify("$/cancelRequest", {"id": asked})
    assert held.answer(asked)["error"]["code"] == CANCELLED


def test_status_and_edits_go_on_while_the_encoder_hangs(held: Client, project: Any) -> None:
    for number in range(10):
        held.start("c2llm/search", {"query": f"held up {number}"})
    document = {"uri": (project / "app/ignore.py").as_uri(), "languageId": "python", "version": 1, "text": "x = 1\n"}
    held.notify("textDocument/didOpen", {"textDocument": document})
    assert held.refused("no/such")["code"] == -32601
    assert held.answer(held.start("textDocument/hover", {}))["error"]


def test_edits_are_waited_for_only_where_asked(serve_faulty: Serve, faults: Faults, project: Any) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    folder = Opened(client, project)
    folder.open("app/ignore.py")
    faults.set("hold-passages")
    folder.change("app/ignore.py", (0, 0, 0, 0, "def bake_chocolate_cake(oven):\n    return oven\n\n\n"))
    waits = client.start("c2llm/search", {"query": "bake_chocolate_cake", "waitForEdits": True, "limit": 1})
    at_once = client.search("bake_chocolate_cake", limit=1)
    assert at_once["freshness"]["pendingFiles"] == 1
    assert not client.answered(waits)
    faults.clear("hold-passages")
    answer = client.answer(waits)["result"]
    assert answer["hits"][0]["symbol"] == "bake_chocolate_cake"
    assert answer["freshness"]["pendingFiles"] == 0


def test_a_scope_is_a_folder_or_what_is_open_or_all_but_tests(opened: Opened) -> None:
    def paths(**scope: Any) -> set[str]:
        return {hit["path"] for hit in opened.search("ignore rules retry queue total", limit=50, scope=scope)["hits"]}

    everything = paths(within=["no-tests"])
    document = opened.uri_of("app/ignore.py")
    assert len(everything) > 3
    assert paths(within=["folder"], document=document) == {path for path in everything if path.startswith("app/")}
    assert paths(within=["open"], open=[document, opened.uri_of("none.py")]) == {"app/ignore.py"}
    assert paths(within=["open"]) == set()
    answer = opened.search("ignore rules", scope={"within": ["changed"]})
    assert answer["hits"] == []
    assert any("no git repository" in note for note in answer["notes"])
    similar = opened.client.ask(
        "c2llm/similar", {"text": "def total(): pass", "scope": {"within": ["open"], "open": [document]}}
    )
    assert {hit["path"] for hit in similar["hits"]} == {"app/ignore.py"}
    context = opened.client.ask("c2llm/context", {"query": "rules", "scope": {"within": ["open"], "open": [document]}})
    assert {piece["path"] for piece in context["pieces"]} == {"app/ignore.py"}
