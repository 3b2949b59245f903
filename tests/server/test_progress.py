"""Work-done progress: begins, reports in rising steps, ends; and the button that stops it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import lay_out
from tests.server.client import Client, Unanswered
from tests.server.editing import Faults, Serve

REINDEX = {"command": "c2llm.server.reindex", "arguments": []}


HELD_AFTER = 3  # batches, of the 25 that a big folder has
ALL = 1_000_000


def big(root: Path) -> Path:
    names = [f"module_{n}" for n in range(400)]
    return lay_out(root, {f"src/{name}.py": f"def work_of_{name}(value):\n    return value\n" for name in names})


def values(client: Client, token: Any) -> list[Any]:
    return [said["value"] for said in client.heard("$/progress") if said["token"] == token]


def finished(client: Client, token: Any) -> Any:
    """The end of this progress, once it has come."""
    return client.hear("$/progress", lambda said: said["token"] == token and said["value"]["kind"] == "end")["value"]


def indexing(serve: Serve, faults: Faults, root: Path, **options: Any) -> tuple[Client, Any]:
    """A server that embeds a large folder and is held there, and the token of its progress."""
    faults.hold_from(HELD_AFTER)
    client = serve()
    client.initialize(root, **options)
    return client, client.hear("window/workDoneProgress/create")["token"]


@pytest.mark.slow
def test_progress_begins_rises_and_ends(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    client, token = indexing(serve_faulty, faults, big(tmp_path / "big"))
    for batches in (HELD_AFTER + 5, HELD_AFTER + 10, HELD_AFTER + 15):
        before = len(values(client, token))
        faults.hold_from(batches)
        client.eventually(lambda before=before: len(values(client, token)) > before)  # type: ignore[misc]
    faults.hold_from(ALL)
    assert finished(client, token)["message"] == "Done"
    said = values(client, token)
    assert [value["kind"] for value in said] == ["begin", *["report"] * (len(said) - 2), "end"]
    assert said[0]["title"] == "Indexing big"
    assert all(value["cancellable"] for value in said[:-1])
    percentages = [value["percentage"] for value in said[:-1]]
    assert percentages == sorted(percentages)
    assert 0 <= percentages[0] <= percentages[-1] <= 100
    assert any("of 400 chunks" in value["message"] for value in said)
    client.ready()
    assert len(client.heard("window/workDoneProgress/create")) == 1


@pytest.mark.slow
def test_status_tells_files_and_chunks_while_it_works(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    client, _ = indexing(serve_faulty, faults, big(tmp_path / "big"))
    work = client.eventually(lambda: client.status()["folders"][0]["work"])
    assert work["stage"] in ("scan", "words", "vectors")
    told = client.hear("c2llm/statusChanged", lambda said: (said["folders"][0]["work"] or {}).get("stage") == "vectors")
    assert told["folders"][0]["work"]["total"] == 400
    assert told["folders"][0]["state"] == "indexing"


@pytest.mark.slow
def test_the_cancel_button_stops_it_and_reindexing_goes_on(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    faults.set("heed-cancel")
    client, token = indexing(serve_faulty, faults, big(tmp_path / "big"))
    client.eventually(lambda: any("of 400 chunks" in value["message"] for value in values(client, token)))
    client.eventually(lambda: len(faults.batches) > HELD_AFTER)
    client.notify("window/workDoneProgress/cancel", {"token": token})
    assert finished(client, token)["message"] == "Cancelled"
    folder = client.eventually(lambda: (found := client.status()["folders"][0])["state"] == "paused" and found)
    assert folder["freshness"]["pendingChunks"] > 0
    assert folder["message"]
    stopped = len(faults.batches)
    faults.hold_from(ALL)
    assert client.finds("work_of_module_7", "src/module_7.py")  # words are there, and asking starts nothing
    assert client.status()["folders"][0]["state"] == "paused"
    assert len(faults.batches) == stopped
    client.ask("workspace/executeCommand", REINDEX)
    assert client.ready()["folders"][0]["freshness"]["pendingChunks"] == 0


def test_a_file_that_changes_while_it_is_paused_is_indexed_all_the_same(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    root = big(tmp_path / "big")
    faults.set("heed-cancel")
    client, token = indexing(serve_faulty, faults, root)
    client.notify("window/workDoneProgress/cancel", {"token": token})
    client.eventually(lambda: client.status()["folders"][0]["state"] == "paused")
    (root / "src/fresh.py").write_text("def fresh_while_paused():\n    return 1\n")
    client.eventually(lambda: client.finds("fresh_while_paused", "src/fresh.py"))
    assert client.status()["folders"][0]["state"] == "paused"


@pytest.mark.slow
def test_a_changed_file_is_found_before_the_rest_is_embedded(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    root = big(tmp_path / "big")
    client, _ = indexing(serve_faulty, faults, root)
    client.hear("c2llm/statusChanged", lambda said: (said["folders"][0]["work"] or {}).get("stage") == "vectors")
    (root / "src/module_7.py").write_text("def changed_in_between():\n    return 1\n")
    client.eventually(lambda: client.search("work")["freshness"]["pendingFiles"])
    faults.hold_from(HELD_AFTER + 1)  # the job looks for what interrupts it between two batches
    client.eventually(lambda: client.finds("changed_in_between", "src/module_7.py"))
    assert client.search("changed_in_between")["freshness"]["pendingChunks"] > 0
    faults.hold_from(ALL)
    client.ready()
    assert client.search("changed_in_between")["freshness"]["pendingChunks"] == 0


@pytest.mark.slow
def test_a_client_without_progress_is_not_bothered(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    faults.hold_from(HELD_AFTER)
    client = serve_faulty()
    client.initialize(big(tmp_path / "big"), can={"window": {}})
    client.hear("c2llm/statusChanged", lambda said: (said["folders"][0]["work"] or {}).get("stage") == "vectors")
    faults.hold_from(ALL)
    client.ready()
    assert not client.heard("window/workDoneProgress/create")
    assert not client.heard("$/progress")


def test_a_client_that_answers_the_progress_late_or_never_harms_nothing(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    faults.hold_from(HELD_AFTER)
    client = serve_faulty()
    client.replies["window/workDoneProgress/create"] = lambda _: Unanswered
    client.initialize(big(tmp_path / "big"))
    client.hear("window/workDoneProgress/create")
    faults.hold_from(ALL)
    client.ready()
    late = next(message for message in client.said if message["method"] == "window/workDoneProgress/create")
    client.reply(late, None)
    client.status()
    assert not client.heard("$/progress")


def test_what_is_over_in_moments_shows_no_progress(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    faults.set("progress-after", "3600")
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    client.leave()
    assert not client.heard("$/progress")
