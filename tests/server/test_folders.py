"""Several folders in one server: side by side, one inside the other, coming and going, and those that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from retrieval.types import NOTHING_CERTAIN
from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out
from tests.server.client import Client
from tests.server.editing import Opened, Serve, enter

CAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n"


def leave(client: Client, root: Path) -> None:
    change = {"added": [], "removed": [{"uri": root.as_uri(), "name": root.name}]}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": change})


def hits(client: Client, query: str, **more: Any) -> list[tuple[str, str]]:
    return [(hit["folder"], hit["path"]) for hit in client.search(query, **more)["hits"]]


def test_two_folders_answer_together_and_alone(opened: Opened, tmp_path: Path) -> None:
    client, other = opened.client, enter(opened.client, lay_out(tmp_path / "other", {"cake.py": CAKE}))
    other.settled()
    assert hits(client, "bake_chocolate_cake")[0] == (other.uri, "cake.py")
    assert hits(client, "apply_ignore_rules")[0] == (opened.uri, "app/ignore.py")
    assert all(folder == opened.uri for folder, _ in hits(client, "bake_chocolate_cake", folder=opened.uri))
    both = client.search("x")["freshness"]["files"]
    assert both == sum(client.search("x", folder=uri)["freshness"]["files"] for uri in (opened.uri, other.uri))
    other.leave()
    assert "is not an open folder" in client.refused("c2llm/search", {"query": "x", "folder": other.uri})["message"]


def test_nothing_certain_is_told_where_no_folder_has_anything(opened: Opened, tmp_path: Path) -> None:
    client, other = opened.client, enter(opened.client, lay_out(tmp_path / "other", {"cake.py": CAKE}))
    other.settled()
    assert client.search("bake a chocolate cake", folder=opened.uri)["notes"] == [NOTHING_CERTAIN]
    assert client.search("bake a chocolate cake")["notes"] == []
    assert client.search("xyzzy plugh frobnicate")["notes"] == [NOTHING_CERTAIN]
    other.leave()


def test_a_folder_inside_another_one_is_searched_once(opened: Opened) -> None:
    inner = enter(opened.client, opened.root / "app")
    inner.settled()
    found = opened.client.search("apply_ignore_rules", limit=20)["hits"]
    places = [(hit["uri"], hit["range"]["start"]["line"]) for hit in found]
    assert len(set(places)) == len(places)
    inner.leave()


def test_an_edit_in_a_folder_inside_another_one_counts_in_both(opened: Opened) -> None:
    inner = enter(opened.client, opened.root / "app")
    inner.settled()
    opened.open("app/ignore.py", CAKE)
    for folder, path in ((opened, "app/ignore.py"), (inner, "ignore.py")):
        assert folder.top("bake_chocolate_cake")["path"] == path
        assert not [hit for hit in folder.search("apply_ignore_rules")["hits"] if "apply_ignore" in hit["text"]]
    everywhere = opened.client.search("bake_chocolate_cake", limit=5)["hits"]
    assert [hit["uri"] for hit in everywhere].count(opened.uri_of("app/ignore.py")) == 1
    inner.leave()
    opened.client.eventually(lambda: len(opened.client.status()["folders"]) == 1)
    assert opened.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    opened.close("app/ignore.py")


@pytest.mark.parametrize("command", [False, True], ids=["request", "command"])
def test_similar_code_in_a_folder_that_the_one_around_it_leaves_out(opened: Opened, command: bool) -> None:
    """The outer folder has the path and not the file; what it has that is like it is found all the same."""
    text = (opened.root / "app/ignore.py").read_text().replace("apply_ignore_rules", "apply_rules_again")
    lay_out(opened.root, {".gitignore": "vendor/\n", "vendor/lib/a.py": text})
    inner = enter(opened.client, opened.root / "vendor/lib")
    inner.settled()
    at = {"line": 4, "character": 0}
    params = {"textDocument": {"uri": inner.uri_of("a.py")}, "position": at, "range": {"start": at, "end": at}}
    asked = {"command": "c2llm.server.similar", "arguments": [params]}
    answer = opened.client.ask(*("workspace/executeCommand", asked) if command else ("c2llm/similar", params))
    assert answer["hits"][0]["uri"] == opened.uri_of("app/ignore.py")
    inner.leave()


def test_a_folder_that_leaves_and_comes_back_keeps_its_index_and_its_buffers(opened: Opened) -> None:
    opened.open("app/ignore.py", CAKE)
    assert opened.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    before = opened.client.status()["embeddedEdits"]
    opened.leave()
    assert opened.client.search("bake_chocolate_cake")["hits"] == []
    again = enter(opened.client, opened.root)
    assert again.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    again.settled()
    assert opened.client.status()["embeddedEdits"] <= before + 1
    opened.close("app/ignore.py")


def test_an_untitled_buffer_moves_to_the_folder_that_is_left(serve: Serve, project: Path, tmp_path: Path) -> None:
    client = serve()
    client.initialize(project, lay_out(tmp_path / "other", {"a.py": "x = 1\n"}))
    client.ready()
    first, other = Opened(client, project), Opened(client, tmp_path / "other")
    first.open("untitled:Untitled-1", CAKE)
    assert first.top("bake_chocolate_cake")["path"] == "untitled:Untitled-1.py"
    first.leave()
    assert other.top("bake_chocolate_cake")["path"] == "untitled:Untitled-1.py"


def test_without_a_folder_the_answer_says_what_to_do(shared: Client) -> None:
    answer = shared.search("anything")
    assert answer["hits"] == []
    assert "open" in answer["notes"][0]


def test_the_same_folder_twice_is_one(opened: Opened) -> None:
    enter(opened.client, opened.root)
    opened.client.notify(
        "workspace/didChangeWorkspaceFolders",
        {"event": {"added": [{"uri": opened.uri + "/", "name": "again"}], "removed": []}},
    )
    assert len(opened.client.status()["folders"]) == 1


@pytest.mark.slow
def test_folders_that_come_and_go_quickly_end_as_said(opened: Opened, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "other", {"cake.py": CAKE})
    for _ in range(20):
        enter(opened.client, root)
        leave(opened.client, root)
    assert [folder["folder"] for folder in opened.client.status()["folders"]] == [opened.uri]
    other = enter(opened.client, root)
    other.settled()
    assert other.top("bake_chocolate_cake")["path"] == "cake.py"
    other.leave()


@pytest.mark.parametrize("name", ["with space", "mit ümläut", "100% #1 [x]", "emoji 😀", "semi;colon?question"])
def test_names_that_uris_must_escape(shared: Client, tmp_path: Path, name: str) -> None:
    folder = enter(shared, lay_out(tmp_path / name, {f"{name}.py": CAKE}))
    folder.settled()
    hit = folder.top("bake_chocolate_cake")
    assert (hit["uri"], hit["path"]) == (folder.uri_of(f"{name}.py"), f"{name}.py")
    folder.open(f"{name}.py", CAKE.replace("bake", "frost"))
    assert folder.top("frost_chocolate_cake")["uri"] == folder.uri_of(f"{name}.py")
    folder.close(f"{name}.py")
    folder.leave()


def test_uris_may_be_escaped_more_than_needed(opened: Opened) -> None:
    """VS Code escapes colons and more; a document keeps the URI that it was opened with."""
    uri = opened.uri_of("app/ignore.py").replace("_", "%5F").replace("ignore", "%69gnore")
    item = {"uri": uri, "languageId": "python", "version": 1, "text": CAKE}
    opened.client.notify("textDocument/didOpen", {"textDocument": item})
    assert opened.top("bake_chocolate_cake")["uri"] == uri
    opened.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert opened.top("apply_ignore_rules")["uri"] == opened.uri_of("app/ignore.py")


def test_a_root_behind_a_link_is_answered_with_the_link(shared: Client, project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    folder = enter(shared, tmp_path / "link")
    folder.settled()
    assert folder.top("apply_ignore_rules")["uri"] == (tmp_path / "link/app/ignore.py").as_uri()
    (project / "app/new.py").write_text(CAKE)
    shared.eventually(lambda: folder.finds("bake_chocolate_cake", "app/new.py"))
    folder.leave()


def test_a_folder_that_does_not_exist_is_said_once_and_the_others_answer(opened: Opened, tmp_path: Path) -> None:
    since = len(opened.client.said)
    missing = enter(opened.client, tmp_path / "missing")
    opened.client.hear("window/showMessage", lambda said: "missing" in said["message"], since=since)
    assert opened.client.status(missing.uri)["folders"][0]["state"] == "failed"
    answer = opened.client.search("apply_ignore_rules")
    assert answer["hits"][0]["path"] == "app/ignore.py"
    assert any("missing" in note for note in answer["notes"])
    assert len([text for text in opened.client.messages(since=since) if "missing" in text]) == 1
    missing.leave()


def test_a_file_in_place_of_a_folder_is_said(opened: Opened) -> None:
    since = len(opened.client.said)
    file = enter(opened.client, opened.root / "README.md")
    opened.client.hear("window/showMessage", lambda said: "is a file" in said["message"], since=since)
    file.leave()


def test_a_folder_that_vanishes_and_comes_back(opened: Opened, tmp_path: Path) -> None:
    opened.open("app/ignore.py", CAKE)
    assert opened.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    shutil.rmtree(opened.root)
    assert opened.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    assert opened.client.status()["folders"]
    opened.close("app/ignore.py")
    lay_out(opened.root, PROJECT)
    opened.client.ask("workspace/executeCommand", {"command": "c2llm.server.reindex", "arguments": []})
    opened.client.eventually(lambda: opened.finds("apply_ignore_rules", "app/ignore.py"))
    assert "Traceback" not in "".join(opened.client.messages())


def test_an_empty_folder_is_ready_and_finds_nothing(shared: Client, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folder = enter(shared, tmp_path / "empty")
    folder.settled()
    assert folder.search("anything")["hits"] == []
    folder.leave()


@pytest.mark.slow
def test_root_uri_and_root_path_of_old_clients(serve: Serve, project: Path) -> None:
    for params in (
        {"rootUri": project.as_uri()},
        {"rootPath": str(project)},
        {"rootPath": str(project), "rootUri": None},
    ):
        client = serve()
        client.ask("initialize", {"processId": None, "capabilities": {}, **params})
        client.notify("initialized", {})
        client.ready()
        assert client.finds("apply_ignore_rules", "app/ignore.py")
        client.leave()
