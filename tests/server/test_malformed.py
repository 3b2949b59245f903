"""Messages that are none, come at the wrong time, or hold what no client should send: after each the server answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.server.client import Client, framed
from tests.server.editing import Opened, Serve

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, NOT_INITIALIZED = -32700, -32600, -32601, -32602, -32002


@pytest.fixture(autouse=True)
def answers_afterwards(shared: Client) -> Iterator[None]:
    """Whatever a test has sent, the server answers the next request, and no traceback was shown to anybody."""
    before = len(shared.said)
    yield
    assert shared.status()["version"]
    shared.forget_answer(None)  # a refusal that the test did not ask for is not the next test's
    assert not [text for text in shared.messages(since=before) if "Traceback" in text]


def refusal(client: Client, asked: Any = None) -> Any:
    """The error of an answer with this id."""
    return client.answer(asked)["error"]


BODIES = {
    "not json": (b"{never", PARSE_ERROR),
    "nothing": (b"", PARSE_ERROR),
    "not utf-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', PARSE_ERROR),
    "binary": (bytes(range(256)) * 8, PARSE_ERROR),
    "an array": (b'[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]', INVALID_REQUEST),
    "a number": (b"7", INVALID_REQUEST),
    "null": (b"null", INVALID_REQUEST),
    "deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, PARSE_ERROR),
    "deep beside half of a surrogate pair": (
        b'{"id": 1, "method": "x", "params": ' + b"[" * 600 + rb'"\ud800"' + b"]" * 600 + b"}",
        PARSE_ERROR,
    ),
    "deep without an end": (b"[" * 70 + b'"' + b"\\" * 9, PARSE_ERROR),
    "a very long number": (b'{"id":' + b"9" * 100_000 + b"}", PARSE_ERROR),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_message_is_refused_without_an_id(shared: Client, name: str) -> None:
    body, code = BODIES[name]
    shared.raw(framed(body))
    assert refusal(shared)["code"] == code


RUBBISH = {
    "lines": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "binary": bytes(range(256)) * 4 + b"\r\n",
    "a long line": b"x" * 300_000 + b"\r\n",
    "a negative length": b"Content-Length: -5\r\n\r\n",
    "a huge length": b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a length that is no number": b"Content-Length: many\r\n\r\n",
    "no length": b"Content-Type: application/json\r\n\r\n",
    "empty lines": b"\r\n\r\n\n\n",
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_between_messages_is_passed_over(shared: Client, name: str) -> None:
    shared.raw(RUBBISH[name])
    assert shared.ask("c2llm/status", {})["folders"] == []


def test_headers_may_be_written_in_other_ways(shared: Client) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "other", "method": "c2llm/status", "params": {}}).encode()
    shared.raw(b"content-type: application/vscode-jsonrpc; charset=utf-8\ncontent-LENGTH :%d\n\n" % len(body) + body)
    assert shared.answer("other")["result"]["version"]


@pytest.mark.parametrize("wrong", [-20, -1, 1, 30])
def test_after_a_wrong_length_the_conversation_goes_on(shared: Client, wrong: int) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "c2llm/status", "params": {}}).encode()
    shared.raw(b"Content-Length: %d\r\n\r\n" % (len(body) + wrong) + body)
    asked = [shared.start("c2llm/status", {}) for _ in range(3)]  # a length too long swallows the beginning of the next
    assert shared.answer(asked[-1])["result"]["version"]
    assert refusal(shared)["code"] == PARSE_ERROR


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "1.0", "id": "m", "method": "c2llm/status", "params": {}},
        {"jsonrpc": "2.0", "id": "m", "method": 5},
        {"jsonrpc": "2.0", "id": "m", "method": ["c2llm/status"]},
        {"jsonrpc": "2.0", "id": "m", "method": {}, "params": {}},
        {"jsonrpc": "2.0", "id": "m", "method": "c2llm/none"},
        {"jsonrpc": "2.0", "id": "m", "method": ""},
        {"jsonrpc": "2.0", "id": "m", "method": "workspace/symbol", "params": [1, 2]},
        {"jsonrpc": "2.0", "id": "m", "method": "workspace/symbol"},
        {"jsonrpc": "2.0", "id": "m", "method": "textDocument/hover", "params": {"textDocument": 1}},
        {"jsonrpc": "2.0", "id": "m", "method": "c2llm/search", "params": [1]},
        {"jsonrpc": "2.0", "id": "m", "method": "c2llm/search", "params": "text"},
        {"jsonrpc": "2.0", "id": "m", "method": "initialize", "params": {"capabilities": {}}},
    ],
    ids=lambda message: json.dumps(message)[28:80],
)
def test_a_request_that_cannot_be_answered_gets_one_clear_error(shared: Client, message: Any) -> None:
    shared.send(message)
    error = refusal(shared, "m")
    assert error["code"] in (INVALID_REQUEST, NO_METHOD, INVALID_PARAMS)
    assert "Traceback" not in json.dumps(error)
    assert 0 < len(error["message"]) < 300


@pytest.mark.parametrize("asked", [None, 1.5, True, {"a": 1}, [2]])
def test_an_id_that_is_none_harms_nothing(shared: Client, asked: Any) -> None:
    shared.send({"jsonrpc": "2.0", "id": asked, "method": "c2llm/status", "params": {}})


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"jsonrpc": "2.0"},
        {"id": 7},
        {"id": "nobody asked", "result": {}},
        {"id": "nobody asked", "error": {"code": 1, "message": "no"}},
        {"id": "nobody asked", "error": 5},
        {"id": [], "result": None},
        {"method": "no/such/notification", "params": {}},
        {"method": "$/whatever"},
        {"method": "$/cancelRequest", "params": {"id": 99_999}},
        {"method": "$/cancelRequest", "params": {}},
        {"method": "$/cancelRequest"},
        {"method": "$/setTrace", "params": {"value": "loud"}},
        {"method": "initialized"},
        {"method": "window/workDoneProgress/cancel", "params": {"token": "nobody's"}},
        {"method": "workspace/didChangeConfiguration"},
        {"method": "workspace/didChangeConfiguration", "params": {"settings": [[1]]}},
        {"method": "workspace/didChangeWatchedFiles", "params": {"changes": [{"uri": "not a uri", "type": 2}]}},
        {"method": "workspace/didChangeWatchedFiles", "params": {"changes": [{"uri": "file:///x", "type": 9}]}},
        {"method": "workspace/didChangeWatchedFiles", "params": {"changes": 1}},
        {
            "method": "workspace/didChangeWorkspaceFolders",
            "params": {"event": {"added": [], "removed": [{"uri": "file:///nowhere", "name": "x"}]}},
        },
        {
            "method": "workspace/didChangeWorkspaceFolders",
            "params": {"event": {"added": [{"uri": "http://x/y", "name": "x"}], "removed": []}},
        },
        {"method": "textDocument/didOpen", "params": {}},
        {"method": "textDocument/didClose", "params": {"textDocument": {"uri": "file:///never/opened"}}},
        {"method": "textDocument/didSave", "params": {"textDocument": {"uri": "file:///never/opened"}}},
        {
            "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": "file:///never/opened", "version": 2}, "contentChanges": []},
        },
        {
            "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": "x", "version": 2}, "contentChanges": [{"range": 1}]},
        },
    ],
    ids=lambda message: json.dumps(message)[:70],
)
def test_a_message_that_means_nothing_harms_nothing(shared: Client, message: Any) -> None:
    shared.send({"jsonrpc": "2.0", **message} if "method" in message or "id" in message else message)


def test_positions_far_outside_mean_the_ends(opened: Opened) -> None:
    far = 2**31 - 1
    opened.open("app/new.py", "def at_the_start():\n    return 1\n")
    opened.change("app/new.py", (far, far, far, far, "def at_the_end():\n    return 2\n"), (0, far, 0, far, "  # said"))
    texts = [hit["text"] for hit in opened.search("at_the_start at_the_end")["hits"] if hit["path"] == "app/new.py"]
    joined = "\n".join(texts)
    assert "def at_the_start():  # said" in joined
    assert "def at_the_end():" in joined


def test_a_range_that_ends_before_it_starts_is_turned_round(opened: Opened) -> None:
    opened.open("app/new.py", "def turn_me_round():\n    return 1\n")
    opened.change("app/new.py", (0, 17, 0, 4, "i_was_turned"))
    assert "def i_was_turned():" in opened.top("i_was_turned")["text"]


@pytest.mark.parametrize("method", ["c2llm/similar", "c2llm/context", "c2llm/explain"])
def test_a_place_far_outside_is_refused_or_answered_but_not_a_crash(opened: Opened, method: str) -> None:
    far = {"line": 2**31 - 1, "character": 2**31 - 1}
    place = {"textDocument": {"uri": opened.uri_of("app/ignore.py")}, "position": far}
    place["range"] = {"start": far, "end": far}
    answer = opened.client.answer(opened.client.start(method, place))
    assert "result" in answer or answer["error"]["code"] == INVALID_PARAMS, answer


@pytest.mark.parametrize("text", ["\ud83d", "\udc00 x", "ok \ud800\ud800 end"])
def test_lone_surrogates_are_text_like_any_other(opened: Opened, text: str) -> None:
    opened.open("app/odd.py", f"def odd_surrogate():\n    return '{text}'\n")
    assert opened.top("odd_surrogate")["path"] == "app/odd.py"
    opened.change("app/odd.py", (1, 12, 1, 12, text))
    assert opened.top("odd_surrogate")["path"] == "app/odd.py"
    assert opened.search(f"query {text}")["freshness"]["files"]
    assert opened.client.ask("c2llm/similar", {"text": f"def odd(): return '{text}'", "folder": opened.uri})["hits"]
    opened.client.ask("workspace/symbol", {"query": text})


@pytest.mark.parametrize("text", ["\0\x01\x02\x7f\x80 bytes \xff" * 50, "\x0c\x1b[31m\u2028\u2029\ufeff" * 50])
def test_binary_rubbish_in_a_document_leaves_the_others_found(opened: Opened, text: str) -> None:
    opened.open("app/rubbish.py", text)
    opened.open("app/good.py", "def a_good_neighbour():\n    return 1\n")
    assert opened.top("a_good_neighbour")["path"] == "app/good.py"
    opened.change("app/rubbish.py", "def now_it_is_code():\n    return 1\n")
    assert opened.top("now_it_is_code")["path"] == "app/rubbish.py"


@pytest.mark.slow
def test_a_document_of_twenty_megabytes_holds_nothing_up_for_long(opened: Opened) -> None:
    line = "value = compute(value, 'text that goes on')  # again\n"
    opened.open("app/giant.py", line * (20_000_000 // len(line)))
    opened.open("app/good.py", "def beside_the_giant():\n    return 1\n")
    assert opened.top("beside_the_giant")["path"] == "app/good.py"
    opened.change("app/giant.py", (5, 0, 5, 0, "# typed into the giant\n"))
    assert opened.top("beside_the_giant")["path"] == "app/good.py"
    opened.change("app/giant.py", "def small_again():\n    return 1\n")
    assert opened.top("small_again")["path"] == "app/giant.py"
    opened.close("app/giant.py")


def test_a_query_of_a_megabyte_is_answered_or_refused(opened: Opened) -> None:
    answer = opened.client.answer(opened.client.start("c2llm/search", {"query": "long words " * 100_000}))
    assert "result" in answer or answer["error"]["code"] == INVALID_PARAMS


def test_before_initialize_requests_are_refused_and_notifications_dropped(serve: Serve) -> None:
    client = serve()
    assert client.refused("c2llm/status", {})["code"] == NOT_INITIALIZED
    assert client.refused("no/such")["code"] == NOT_INITIALIZED
    client.notify("initialized", {})
    client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///x"}})
    assert client.refused("shutdown")["code"] == NOT_INITIALIZED
    assert client.initialize()["capabilities"]
    assert client.status()["folders"] == []


def test_an_initialize_that_says_nothing_of_its_client_is_answered(serve: Serve) -> None:
    client = serve()
    client.raw(framed(b'{"jsonrpc":"2.0","id":"bare","method":"initialize"}'))
    assert client.answer("bare")["result"]["capabilities"]
    assert client.refused("initialize", {})["code"] == INVALID_REQUEST
    assert client.status()["folders"] == []


@pytest.mark.parametrize("body", [b"{never", b"[]", b""])
def test_a_first_message_that_is_none_is_refused_and_the_next_one_counts(serve: Serve, body: bytes) -> None:
    client = serve()
    client.raw(b"rubbish\r\n" + framed(body))
    assert client.initialize()["capabilities"]
    assert client.status()["folders"] == []


def test_after_shutdown_requests_are_refused_until_exit(serve: Serve) -> None:
    client = serve()
    client.initialize()
    assert client.ask("shutdown") is None
    for method in ("c2llm/status", "shutdown", "initialize", "no/such"):
        assert client.refused(method, {})["code"] == INVALID_REQUEST
    client.notify("textDocument/didOpen", {"textDocument": 1})
    client.notify("exit")
    assert client.process.wait(PATIENCE) == 0


def test_exit_without_shutdown_says_so_in_the_code(serve: Serve) -> None:
    client = serve()
    client.initialize()
    client.notify("exit")
    assert client.process.wait(PATIENCE) == 1


def test_exit_before_anything_else_ends_it(serve: Serve) -> None:
    client = serve()
    client.notify("exit")
    assert client.process.wait(PATIENCE) == 1


def test_brackets_in_strings_are_no_nesting(shared: Client) -> None:
    assert shared.ask("c2llm/search", {"query": '[{"\\' * 500})["hits"] == []


def test_an_old_name_of_a_field_is_read(opened: Opened) -> None:
    assert len(opened.search("rules", k=1)["hits"]) == 1
    assert len(opened.search("rules", k=1, limit=2)["hits"]) == 2


@pytest.mark.parametrize("paths", [["\\"], ["a\\"]])
def test_a_glob_that_is_none_is_refused(opened: Opened, paths: list[str]) -> None:
    assert opened.client.refused("c2llm/search", {"query": "rules", "paths": paths})["code"] == INVALID_PARAMS


def test_a_malformed_message_costs_one_line_of_the_log(serve: Serve) -> None:
    client = serve()
    client.initialize()
    client.refused("textDocument/hover", {"textDocument": 1})
    client.refused("workspace/symbol", [1, 2])
    client.notify("textDocument/didOpen", {})
    client.leave()
    assert "Traceback" not in client.log
    assert len(client.log.splitlines()) == 3
