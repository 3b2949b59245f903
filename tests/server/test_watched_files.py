"""File changes, told by the client or seen by the server itself: found in either case, and many of them as one job."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Client, Unanswered
from tests.server.editing import Faults, Opened, Serve

WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
VSCODE = {"name": "Visual Studio Code"}
CREATED, CHANGED, DELETED = 1, 2, 3


def initialize(client: Client, root: Path, *, watches: bool, answer: Any = None) -> Opened:
    """As a client that watches whole trees, or as one that does not."""
    if watches:
        client.replies["client/registerCapability"] = lambda _: answer
    params: dict[str, Any] = {
        "processId": None,
        "rootUri": root.as_uri(),
        "capabilities": WATCHES if watches else {},
        "clientInfo": VSCODE if watches else {"name": "other"},
    }
    client.ask("initialize", params)
    client.notify("initialized", {})
    return Opened(client, root)


def told(folder: Opened, *changes: tuple[int, str]) -> None:
    events = [{"uri": folder.uri_of(path), "type": kind} for kind, path in changes]
    folder.client.notify("workspace/didChangeWatchedFiles", {"changes": events})


@pytest.fixture(params=[False, True], ids=["own watcher", "client watches"])
def watched(request: pytest.FixtureRequest, serve: Serve, project: Path) -> Iterator[tuple[Opened, bool]]:
    client = serve()
    folder = initialize(client, project, watches=request.param)
    client.ready()
    if request.param:
        client.hear("client/registerCapability")
    yield folder, request.param
    client.leave()


@pytest.mark.slow
def test_files_created_changed_renamed_and_deleted(watched: tuple[Opened, bool]) -> None:
    folder, watches = watched

    def happened(*changes: tuple[int, str]) -> None:
        if watches:
            told(folder, *changes)

    new, moved = folder.root / "app/new.py", folder.root / "web/moved.py"
    new.write_text("def a_new_walrus():\n    return 1\n")
    happened((CREATED, "app/new.py"))
    folder.client.eventually(lambda: folder.finds("a_new_walrus", "app/new.py"))
    new.write_text("def a_changed_walrus():\n    return 1\n")
    happened((CHANGED, "app/new.py"))
    folder.client.eventually(lambda: folder.finds("a_changed_walrus", "app/new.py"))
    new.rename(moved)
    happened((DELETED, "app/new.py"), (CREATED, "web/moved.py"))
    folder.client.eventually(lambda: folder.finds("a_changed_walrus", "web/moved.py"))
    folder.client.eventually(lambda: "app/new.py" not in folder.paths("a_changed_walrus"))
    moved.unlink()
    happened((DELETED, "web/moved.py"))
    folder.client.eventually(lambda: "web/moved.py" not in folder.paths("a_changed_walrus"))


@pytest.mark.slow
def test_a_folder_deleted_and_one_that_appears(watched: tuple[Opened, bool], tmp_path: Path) -> None:
    folder, watches = watched
    (folder.root / "app").rename(tmp_path / "kept")
    if watches:
        told(folder, (DELETED, "app"))
    folder.client.eventually(lambda: not {"app/ignore.py", "app/invoices.py"} & set(folder.paths("rules price")))
    (tmp_path / "kept").rename(folder.root / "renamed")
    if watches:
        told(folder, (CREATED, "renamed"))
    folder.client.eventually(lambda: folder.finds("apply_ignore_rules", "renamed/ignore.py"))


def test_ignore_rules_that_change_take_effect(watched: tuple[Opened, bool]) -> None:
    folder, watches = watched
    for name in (".gitignore", ".c2llmignore"):
        (folder.root / name).write_text("web/\n")
        if watches:
            told(folder, (CREATED, name))
        folder.client.eventually(lambda: not folder.finds("fetchWithRetry", "web/retry.ts"))
        (folder.root / name).unlink()
        if watches:
            told(folder, (DELETED, name))
        folder.client.eventually(lambda: folder.finds("fetchWithRetry", "web/retry.ts"))


@pytest.mark.slow
def test_a_branch_switch_is_one_coalesced_job(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=n@n", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *identity, "-C", str(project), *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    for number in range(60):
        (project / f"app/branch_{number}.py").write_text(f"def on_the_branch_{number}():\n    return {number}\n")
    (project / "core/queue.go").unlink()
    git("add", "-A")
    git("commit", "-qm", "two")
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    git("checkout", "-q", "main")
    client.eventually(lambda: client.finds("Push", "core/queue.go"))
    client.ready()
    embedded = len(faults.batches)
    for branch, there in (("other", True), ("main", False)):
        since = len(client.said)
        git("checkout", "-q", branch)
        client.eventually(
            lambda t=there: all(client.finds(f"on_the_branch_{n}", f"app/branch_{n}.py") == t for n in (3, 59))
        )
        client.eventually(lambda t=there: client.finds("Push", "core/queue.go") != t)
        jobs = client.heard("c2llm/statusChanged", since=since)
        assert len(jobs) < 60, "a notification for each of 61 files would be as many jobs"
    assert len(faults.batches) == embedded


def test_a_file_changed_before_the_client_watches_is_found(serve: Serve, project: Path) -> None:
    client = serve()
    folder = initialize(client, project, watches=True, answer=Unanswered)
    client.hear("client/registerCapability")
    client.ready()
    (project / "app/early.py").write_text("def an_early_bird():\n    return 1\n")
    asked = next(message for message in client.said if message["method"] == "client/registerCapability")
    for message in client.said:
        if message["method"] == "client/registerCapability":
            client.reply(message, None)
    assert asked
    client.eventually(lambda: folder.finds("an_early_bird", "app/early.py"))


def test_a_client_that_refuses_to_watch_leaves_it_to_the_server(serve: Serve, project: Path) -> None:
    client = serve()
    folder = initialize(client, project, watches=True, answer=Unanswered)
    client.hear("client/registerCapability")
    for message in client.said:
        if message["method"] == "client/registerCapability":
            client.send({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}})
    client.ready()

    def found() -> bool:
        (project / "app/seen.py").write_text("def seen_by_the_server():\n    return 1\n")
        return folder.finds("seen_by_the_server", "app/seen.py")

    client.eventually(found)


def test_the_client_is_asked_for_every_file(serve: Serve, project: Path) -> None:
    client = serve()
    initialize(client, project, watches=True)
    client.ready()
    wanted = [r for said in client.heard("client/registerCapability") for r in said["registrations"]]
    [files] = [r for r in wanted if r["method"] == "workspace/didChangeWatchedFiles"]
    assert files["registerOptions"]["watchers"][0]["globPattern"] == "**/*"


def test_events_for_what_is_ignored_or_elsewhere_start_nothing(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client = serve_faulty()
    folder = initialize(client, project, watches=True)
    client.ready()
    told(folder, (CHANGED, "node_modules/a.js"), (CREATED, ".git/HEAD"), (DELETED, "file:///elsewhere/x.py"))
    told(folder, (CHANGED, "untitled:Untitled-1"), (CREATED, "app/never_there.py"), (DELETED, "app/never_there.py"))
    client.eventually(lambda: client.ready()["folders"][0]["freshness"]["pendingFiles"] == 0)
    assert client.search("rules")["freshness"]["files"] == 5


@pytest.mark.slow
def test_a_checkout_told_in_one_message_holds_nothing_up(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    client = serve_faulty()
    folder = initialize(client, project, watches=True)
    client.ready()
    client.hear("client/registerCapability")
    faults.set("hold-events")
    (project / "app/new.py").write_text("def a_new_walrus():\n    return 1\n")
    told(folder, *((CHANGED, f"app/none_{n}.py") for n in range(50_000)), (CREATED, "app/new.py"))
    assert client.refused("no/such")  # answered though not one of the events has been looked at
    assert not client.finds("a_new_walrus", "app/new.py")
    faults.clear("hold-events")
    client.eventually(lambda: client.finds("a_new_walrus", "app/new.py"))
