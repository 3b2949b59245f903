"""Encoders that break, in every way they can: one plain sentence, the cause in the log, and words are still searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.client import Client
from tests.server.editing import Faults, Opened, Serve

CAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n"


def plain(client: Client) -> list[str]:
    """What the user was shown; each a sentence and nothing twice."""
    said = client.messages()
    assert not [text for text in said if "Traceback" in text or "\n" in text], said
    assert len(set(said)) == len(said)
    return said


@pytest.mark.parametrize("how", ["fail", "crash"])
def test_an_encoder_that_breaks_while_indexing_and_recovers(
    serve_faulty: Serve, faults: Faults, project: Path, how: str
) -> None:
    faults.set(how)
    client = serve_faulty()
    client.initialize(project)
    client.hear("window/showMessage")
    assert client.finds("apply_ignore_rules", "app/ignore.py")
    assert len(plain(client)) == 1
    faults.clear(how)
    client.ask("workspace/executeCommand", {"command": "c2llm.server.reindex", "arguments": []})
    client.eventually(lambda: client.search("rules")["freshness"]["pendingChunks"] == 0)
    assert client.search("rules")["encoder"] == "overlap"


def test_an_encoder_that_breaks_later_leaves_words_and_edits_found(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("fail")
    folder = Opened(client, project)
    folder.open("app/new.py", CAKE)
    answer = folder.search("bake_chocolate_cake", limit=1)
    assert answer["hits"][0]["path"] == "app/new.py"
    assert any("Keyword results only" in note for note in answer["notes"])
    folder.change("app/new.py", (0, 4, 0, 8, "frost"))
    assert folder.top("frost_chocolate_cake")["path"] == "app/new.py"
    (project / "app/later.py").write_text("def a_later_giraffe():\n    return 1\n")
    client.eventually(lambda: client.finds("a_later_giraffe", "app/later.py"))
    faults.clear("fail")
    folder.change("app/new.py", (0, 4, 0, 9, "serve"))
    assert folder.search("serve_chocolate_cake")["encoder"] == "overlap"
    assert len(plain(client)) <= 1


def test_a_bug_in_the_encoder_is_one_error_of_a_request_and_over_when_it_is(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("crash")
    folder = Opened(client, project)
    folder.open("app/new.py", CAKE)
    error = client.refused("c2llm/search", {"query": "rules", "waitForEdits": True})
    assert error["code"] == -32603
    assert "Traceback" not in str(error)
    faults.clear("crash")
    folder.change("app/new.py", (0, 4, 0, 8, "frost"))
    assert folder.top("frost_chocolate_cake")["path"] == "app/new.py"


def test_the_cause_of_a_crash_is_in_the_log(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("crash")
    (project / "app/later.py").write_text("def a_later_giraffe():\n    return 1\n")
    client.hear("window/showMessage")
    assert "a bug in the encoder" in client.log
    assert "Traceback" in client.log


def test_an_encoder_that_cannot_be_loaded_is_said_and_words_are_searched(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    faults.set("unloadable")
    client = serve_faulty()
    client.initialize(project)
    said = client.hear("window/showMessage")["message"]
    assert "The model is broken" in said
    answer = client.eventually(lambda: (found := client.search("apply_ignore_rules"))["hits"] and found)
    assert answer["encoder"] == ""
    assert any("The model is broken" in note for note in answer["notes"])
    assert client.status()["folders"][0]["notes"]
    faults.clear("unloadable")
    client.ask("workspace/executeCommand", {"command": "c2llm.server.reindex", "arguments": []})
    client.eventually(lambda: client.search("rules")["encoder"] == "overlap")
    client.eventually(lambda: client.search("rules")["freshness"]["pendingChunks"] == 0)


@pytest.mark.parametrize("content", [None, {"model.onnx": "not a model"}, {"config.json": "{", "model.onnx": ""}])
def test_a_broken_model_folder_as_the_encoder(serve: Serve, project: Path, tmp_path: Path, content: object) -> None:
    folder = tmp_path / "model"
    if isinstance(content, dict):
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    client = serve()
    client.initialize(project, options={"encoder": str(folder)})
    client.hear("window/showMessage")
    client.eventually(lambda: client.finds("apply_ignore_rules", "app/ignore.py"))
    assert len(plain(client)) == 1
    folder_state = client.status()["folders"][0]
    assert folder_state["notes"]
    client.leave()
