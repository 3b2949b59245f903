"""`c2llm/symbol` and `c2llm/outline` over stdio: of names, positions and documents, with what is typed."""

from __future__ import annotations

from typing import Any

from tests.server.editing import Opened

STORE = "class Store:\n    def save(self):\n        return pack(1)\n\n\ndef pack(x):\n    return x\n"
USER = "from store import Store, pack\n\n\ndef run():\n    pack(2)\n    return Store().save()\n"


def ask(opened: Opened, method: str, **params: Any) -> Any:
    return opened.client.ask(method, {"waitForEdits": True, **params})


def test_callers_and_outlines_follow_what_is_typed(opened: Opened) -> None:
    opened.open("store.py", STORE)
    opened.open("user.py", USER)
    answer = ask(opened, "c2llm/symbol", relation="callers", symbol="pack", paths=["user.py"])
    (usage,) = answer["usages"]
    assert (usage["path"], usage["symbol"], usage["certainty"]) == ("user.py", "run", "certain")
    assert usage["range"]["start"] == {"line": 4, "character": 0} and usage["text"] == "pack(2)"
    assert usage["uri"] == opened.uri_of("user.py") and usage["folder"] == opened.uri
    assert [one["line"] for one in answer["definitions"]] == [5]

    opened.change("user.py", (4, 0, 4, 0, "    pack(3)\n"))
    assert ask(opened, "c2llm/symbol", relation="callers", symbol="pack", paths=["user.py"])["total"] == 2
    at = {"textDocument": {"uri": opened.uri_of("user.py")}, "position": {"line": 4, "character": 0}}
    called = ask(opened, "c2llm/symbol", relation="callees", **at)["usages"]
    assert {one["symbol"]: one["calls"] for one in called}["pack"] == [4, 5]

    (file,) = ask(opened, "c2llm/outline", **{"textDocument": {"uri": opened.uri_of("store.py")}})["files"]
    assert [(entry["line"], entry["depth"], entry["text"]) for entry in file["entries"]] == [
        (0, 0, "class Store:"),
        (1, 1, "def save(self):"),
        (5, 0, "def pack(x):"),
    ]


def test_a_name_that_is_not_there_brings_names_like_it(opened: Opened) -> None:
    opened.open("store.py", STORE)
    answer = ask(opened, "c2llm/symbol", relation="references", symbol="pakc")
    assert (answer["usages"], answer["definitions"], answer["total"]) == ([], [], 0)
    assert "pack" in answer["near"]
