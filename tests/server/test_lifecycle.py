"""The server's life: it answers at once, stops at once with everything stored, and never outlives its editor.

What a server must not wait for is held for as long as the test likes: that the server ends is the proof, not how soon. The
benchmark has the times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.program import lay_out
from tests.patience import PATIENCE
from tests.server.client import Client, alive, started
from tests.server.editing import SERVE, Faults, Serve

ENOUGH = 300  # files: from 200 on a process of its own indexes them
MANY = 24  # folders: more than a pool of threads would close at a time


def many_files(root: Path, count: int) -> Path:
    files = {
        f"src/part{n % 20}/module_{n}.py": f"def work_of_{n}(value):\n    return value * {n}\n" for n in range(count)
    }
    return lay_out(root, files)


def test_it_greets_before_it_looks_at_the_folder(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    faults.set("hold")
    client = serve_faulty()
    result = client.initialize(many_files(tmp_path / "big", 1_000))
    assert result["serverInfo"]["name"] == "c2llm"
    assert client.status()["folders"][0]["state"] in ("opening", "indexing")


def test_words_are_searched_while_the_encoder_has_not_answered_once(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    faults.set("hold-passages")
    client = serve_faulty()
    client.initialize(project)
    client.eventually(lambda: client.finds("apply_ignore_rules", "app/ignore.py"))
    assert client.search("apply_ignore_rules")["freshness"]["pendingChunks"] > 0
    faults.clear("hold-passages")
    client.ready()
    assert client.search("apply_ignore_rules")["freshness"]["pendingChunks"] == 0


def test_shutdown_stores_everything_and_the_next_start_embeds_nothing(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    client.leave()
    embedded = len(faults.batches)
    assert embedded
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    assert client.finds("sum of the prices with tax", "app/invoices.py")
    assert len(faults.batches) == embedded


@pytest.mark.slow
def test_shutdown_does_not_wait_for_indexing_and_keeps_what_is_done(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    root = many_files(tmp_path / "big", 300)
    faults.hold_from(2)
    client = serve_faulty()
    client.initialize(root)
    client.eventually(lambda: len(faults.batches) > 2)
    client.leave()
    first = len(faults.batches)
    faults.clear("hold-from")
    client = serve_faulty()
    client.initialize(root)
    status = client.ready()
    assert status["folders"][0]["freshness"]["pendingChunks"] == 0
    passages = [int(line.split()[0]) for line in faults.batches]
    assert sum(passages) <= 300 + passages[first - 1]  # at most the last batch was lost


@pytest.mark.slow
def test_shutdown_does_not_wait_for_an_encoder_that_hangs(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    client = serve_faulty()
    client.initialize(project)
    client.ready()
    faults.set("hold")
    (project / "app/more.py").write_text("def one_more():\n    return 1\n")
    client.eventually(lambda: client.status()["folders"][0]["freshness"]["pendingChunks"] > 0)
    client.start("c2llm/search", {"query": "held up"})
    client.leave()


@pytest.mark.slow
def test_shutdown_does_not_wait_for_many_busy_folders_one_after_another(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    faults.set("hold")
    client = serve_faulty()
    client.initialize(*(lay_out(tmp_path / f"p{n}", {"a.py": f"def only_{n}():\n    return 1\n"}) for n in range(MANY)))
    client.hear(
        "c2llm/statusChanged",
        lambda said: all((folder["work"] or {}).get("stage") == "vectors" for folder in said["folders"]),
    )
    client.leave()


def test_the_end_of_its_input_ends_it_with_code_1(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    client.process.stdin.close()  # type: ignore[union-attr]
    assert client.process.wait(PATIENCE) == 1


def test_the_end_of_input_before_the_first_message_ends_it(serve: Serve) -> None:
    client = serve()
    client.process.stdin.close()  # type: ignore[union-attr]
    assert client.process.wait(PATIENCE) == 1


@pytest.mark.slow
def test_a_client_that_dies_while_the_server_indexes(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    root = many_files(tmp_path / "big", 300)
    faults.hold_from(2)
    client = serve_faulty()
    client.initialize(root)
    client.eventually(lambda: len(faults.batches) > 2)
    client.process.stdin.close()  # type: ignore[union-attr]
    client.process.stdout.close()  # type: ignore[union-attr]
    assert client.process.wait(PATIENCE) == 1
    assert "Traceback" not in client.log
    faults.clear("hold-from")
    after = serve_faulty()
    after.initialize(root)
    assert after.ready()["folders"][0]["freshness"]["chunks"] == 300


PARENT = """
import json, os, subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdin=int(os.environ["CHILD_IN"]), stdout=int(os.environ["CHILD_OUT"]))
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("asked", [True, False], ids=["gone", "nobody asks how it ended"])
def test_it_ends_when_the_editor_is_killed_though_its_pipes_stay_open(home: Path, project: Path, asked: bool) -> None:
    """Something else may hold the pipes: another child of the editor that inherited them."""
    to_server, from_client = os.pipe()
    to_client, from_server = os.pipe()
    home.mkdir()
    environ = {"CHILD_IN": str(to_server), "CHILD_OUT": str(from_server)}
    from tests.server.client import Connection, environment

    editor = subprocess.Popen(
        [sys.executable, "-c", PARENT, *SERVE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(to_server, from_server),
        env=environment(home, **environ),
    )
    os.close(from_server)
    client = Connection(os.fdopen(to_client, "rb"), os.fdopen(from_client, "wb"))
    server = 0
    try:
        assert editor.stdout
        server = int(editor.stdout.readline())
        params = {"processId": editor.pid, "rootUri": project.as_uri(), "capabilities": {}}
        assert client.ask("initialize", params)["capabilities"]
        client.notify("initialized", {})
        assert client.ask("c2llm/status", {})["folders"]
        editor.send_signal(signal.SIGKILL)
        if asked:
            editor.wait(PATIENCE)
        client.eventually(lambda: client.ended and not alive(server))
    finally:
        editor.kill()
        editor.wait(PATIENCE)
        if server and alive(server):
            os.kill(server, signal.SIGKILL)


def test_a_crash_of_a_library_leaves_its_place_in_the_log(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    client.process.send_signal(signal.SIGSEGV)
    assert client.process.wait(PATIENCE) == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in client.log


def indexers(server: int) -> list[psutil.Process]:
    """The process that indexes for a server, and those that cut files for that one."""
    found: list[psutil.Process] = psutil.Process(server).children(recursive=True)
    return found


def indexing(serve_faulty: Serve, faults: Faults, root: Path) -> tuple[Client, list[psutil.Process]]:
    """A server that has a process index a folder, held at its third batch, and that process and its helpers."""
    many_files(root, ENOUGH)
    faults.hold_from(2)
    client = serve_faulty()
    client.initialize(root)
    client.hear("c2llm/statusChanged", lambda said: (said["folders"][0]["work"] or {}).get("stage") == "vectors")
    client.eventually(lambda: len(faults.batches) > 2)
    return client, indexers(client.process.pid)


@pytest.mark.slow
def test_shutdown_does_not_wait_for_the_process_that_indexes(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    root = tmp_path / "big"
    client, helpers = indexing(serve_faulty, faults, root)
    assert helpers
    client.leave()
    assert psutil.wait_procs(helpers, PATIENCE)[1] == []  # though its encoder hangs
    faults.clear("hold-from")
    again = serve_faulty()
    again.initialize(root)
    assert again.ready()["folders"][0]["freshness"]["chunks"] == ENOUGH


@pytest.mark.slow
def test_when_a_server_is_killed_its_indexer_ends_and_another_server_goes_on(
    serve_faulty: Serve, faults: Faults, tmp_path: Path
) -> None:
    root = tmp_path / "big"
    first, helpers = indexing(serve_faulty, faults, root)
    assert helpers
    second = serve_faulty()
    second.initialize(root)
    second.eventually(lambda: second.status()["folders"][0]["state"] == "following")
    first.kill()
    assert psutil.wait_procs(helpers, PATIENCE)[1] == []
    faults.clear("hold-from")
    assert second.ready()["folders"][0]["freshness"]["chunks"] == ENOUGH


def test_a_process_id_that_is_nobodys_does_not_end_it(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project, process_id=2**22 + 7)
    client.ready()
    assert client.status()["folders"]


@pytest.mark.slow
def test_what_others_print_does_not_get_between_the_messages(serve: Serve, project: Path) -> None:
    """Libraries print; standard output belongs to the protocol."""
    client = serve(PYTHONVERBOSE="1")
    client.initialize(project)
    client.ready()
    client.leave()


@pytest.mark.slow
def test_a_client_that_reads_nothing_is_still_listened_to(home: Path, project: Path) -> None:
    """The pipe to it is full after a few answers; the others wait in memory, and what it says last is heard."""
    client = started(SERVE, home)
    try:
        client.initialize(project)
        client.ready()
        with client.reading_nothing():
            for _ in range(400):
                client.start("c2llm/search", {"query": "apply rules", "limit": 50})
            client.notify("exit", None)
            assert client.process.wait(PATIENCE) == 1
    finally:
        client.dispose()


@pytest.mark.slow
def test_pipes_full_in_both_directions_are_no_deadlock(serve: Serve, project: Path) -> None:
    client: Client = serve()
    client.initialize(project)
    client.ready()
    ids = [client.start("c2llm/search", {"query": f"rules {n}", "limit": 50}) for n in range(300)]
    assert all("result" in client.answer(asked) for asked in ids)


@pytest.mark.parametrize("options", [("--log-level", "debug"), ("--log-level", "info")])
def test_the_log_holds_nobodys_code(serve: Serve, project: Path, options: tuple[str, ...]) -> None:
    client = serve(*options)
    client.initialize(project)
    client.ready()
    text = "def a_very_secret_name_of_mine():\n    return 1\n"
    document = {"uri": (project / "x.py").as_uri(), "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})
    assert client.finds("a_very_secret_name_of_mine", "x.py", waitForEdits=True)
    client.leave()
    assert "a_very_secret_name_of_mine" not in client.log


def test_the_log_goes_where_it_is_said(serve: Serve, project: Path, tmp_path: Path) -> None:
    client = serve("--log-file", str(tmp_path / "log.txt"), "--log-level", "debug")
    client.initialize(project)
    client.ready()
    client.leave()
    assert "DEBUG" in (tmp_path / "log.txt").read_text()
    assert client.log == ""
