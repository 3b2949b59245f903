"""The web application itself: who gets an answer, with which headers, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from starlette.testclient import TestClient

from c2llm_lsp.web.app import MAX_BODY, PAGE, application
from c2llm_lsp.web.views import Views
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out

TOKEN = "secret"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    root = lay_out(tmp_path / "project", PROJECT | {"odd\u202e.py": "def odd_name():\n    return '\x1b[31m'\n"})
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        yield TestClient(application(Views(workspace, 10).table(), TOKEN), base_url="http://127.0.0.1:8421")


def asked(client: TestClient, name: str, **params: Any) -> dict[str, Any]:
    answer = client.post(f"/api/{name}", json=params, headers=SHOWN)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("path", PAGE)
def test_the_page_is_served_with_a_policy_that_forbids_everything_from_elsewhere(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert TOKEN not in answer.text and "http://" not in answer.text and "https://" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_the_api_wants_the_token(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/search", json={"query": "rules"}, headers=headers)
    assert answer.status_code == 401
    assert "results" not in answer.json() and answer.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8421", "", "192.168.1.2:8421"])
def test_another_name_for_this_machine_gets_nothing(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403
    assert client.post("/api/search", json={"query": "rules"}, headers={**SHOWN, "Host": host}).status_code == 403


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("search", b"[]", 400, "no JSON object"),
        ("search", b"{", 400, "no JSON object"),
        ("search", b"[" * 5_000, 400, "no JSON object"),
        ("search", b" " * (MAX_BODY + 1), 413, "too long"),
        ("search", b'{"query": 5}', 400, "query is no text"),
        ("search", b'{"query": "x", "limit": 0}', 400, "limit is no number"),
        ("search", b'{"query": "x lang:klingon"}', 400, "no language 'klingon'"),
        ("file", b'{"path": "../../etc/passwd"}', 400, "Nothing is indexed at"),
        ("explain", b'{"path": "none.py", "line": 1}', 400, "none.py"),
        ("novel", b"{}", 404, "no such view"),
    ],
)
def test_what_cannot_be_answered_is_said(client: TestClient, name: str, body: bytes, status: int, said: str) -> None:
    answer = client.post(f"/api/{name}", content=body, headers=SHOWN)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text


def test_other_paths_and_methods_are_not_there(client: TestClient) -> None:
    assert client.get("/app.py", headers=SHOWN).status_code == 404
    assert client.get("/../views.py", headers=SHOWN).status_code == 404
    assert client.get("/api/search", headers=SHOWN).status_code == 405


def test_search_file_status_and_map_are_those_of_the_index(client: TestClient) -> None:
    found = asked(client, "search", query="ignore rule excludes kind:function", limit=1)
    (first,) = found["results"]
    assert (first["path"], first["anchor"], found["certain"]) == ("app/ignore.py", 4, True)
    marked = [line["text"][a:b] for line in first["lines"] for a, b in line["marks"]]
    assert "ignore" in marked and "excludes" in marked
    assert asked(client, "search", query="xyzzyplugh")["certain"] is False
    assert asked(client, "search", query=" ")["results"] == []
    file = asked(client, "file", path="app/ignore.py")
    assert "def apply_ignore_rules(path, rules):" in file["parts"][0]["lines"]
    assert asked(client, "status")["files"] == 6
    mapped = asked(client, "map")
    assert {one["path"] for one in mapped["files"]} >= set(PROJECT)
    assert all(0 <= one["x"] <= 1 and 0 <= one["y"] <= 1 for one in mapped["files"])
    assert sum(cluster["files"] for cluster in mapped["clusters"]) == len(mapped["files"])
    assert asked(client, "duplicates")["pairs"] == []


def test_control_characters_are_shown_and_not_obeyed(client: TestClient) -> None:
    (first,) = asked(client, "search", query="odd_name kind:function", limit=1)["results"]
    assert "\u202e" not in first["label"] and "\u202e" in first["path"]
    assert "\x1b" not in "".join(line["text"] for line in first["lines"])
