"""Searching with an encoder on another machine, with real processes on both sides: what happens when it goes and comes."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program
from tests.cli.test_offline import CAUGHT, guarded
from tests.patience import PATIENCE
from tests.server.client import Client, started
from tests.server.editing import SERVE, Opened

Start = Callable[..., "Box"]


class Box:
    """A `c2llm serve-embeddings` process that can die and come back on its port."""

    def __init__(self, c2llm: Program) -> None:
        self._c2llm = c2llm
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, encoder: str = "overlap", **environ: str) -> Box:
        options = ("serve-embeddings", "--port", str(self.port), "--encoder", encoder, "--name", "m")
        self.process = self._c2llm.start(*options, **environ)
        assert self.process.stderr
        line = self.process.stderr.readline()
        assert "http://" in line, line
        self.port = int(re.findall(r":(\d+)/v1", line)[0])
        return self

    def die(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def freeze(self) -> None:
        """It takes connections and answers none, as a machine that swaps."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)


@pytest.fixture
def box(c2llm: Program) -> Iterator[Box]:
    found = Box(c2llm)
    yield found
    found.die()


@pytest.fixture
def remote(box: Box, c2llm: Program) -> Program:
    """A `c2llm` whose encoder is the box."""
    box.start()
    return Program(c2llm.home, encoder=box.url)


@pytest.fixture
def editor(box: Box, remote: Program, project: Path, tmp_path: Path) -> Iterator[Client]:
    client = started(SERVE, tmp_path / "editor", C2LLM_ENCODER=box.url, C2LLM_TEST_IMPATIENT="1")
    yield client
    client.dispose()


def answer(c2llm: Program, query: str, project: Path, **environ: str) -> Any:
    done = c2llm("search", query, project, "--json", "--quiet", environ=environ)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_search_goes_by_the_meaning_that_the_server_gives(remote: Program, box: Box, project: Path) -> None:
    found = answer(remote, "apply ignore rules", project)
    assert found["encoder"] == f"m at 127.0.0.1:{box.port}"
    assert found["results"][0]["path"] == "app/ignore.py"
    assert (found["freshness"]["pending_chunks"], found["notes"]) == (0, [])
    status = json.loads(remote("status", project, "--json").out)
    assert box.url in json.dumps(status)


def test_the_option_and_the_users_file_choose_it_and_a_workspace_cannot(
    box: Box, c2llm: Program, project: Path, tmp_path: Path
) -> None:
    box.start()
    found = json.loads(c2llm("search", "rules", project, "--json", "--encoder", box.url).out)
    assert found["encoder"].startswith("m at")
    config = tmp_path / "config.toml"
    config.write_text(f'encoder = "{box.url}"\n')
    environ = {"C2LLM_ENCODER": "", "C2LLM_CONFIG": str(config)}
    assert answer(c2llm, "rules", project, **environ)["encoder"].startswith("m at")
    (project / ".c2llm.toml").write_text('encoder = "http://127.0.0.1:1"\n')
    assert answer(c2llm, "rules", project)["encoder"] == "overlap"


@pytest.mark.slow
def test_a_server_that_is_down_leaves_words_and_is_found_again_by_the_next_search(
    remote: Program, box: Box, project: Path
) -> None:
    assert answer(remote, "apply ignore rules", project)["encoder"]
    box.die()
    (project / "app/late.py").write_text("def a_late_giraffe():\n    return 1\n")
    found = answer(remote, "a_late_giraffe", project)
    assert found["results"][0]["path"] == "app/late.py"
    assert (found["encoder"], found["freshness"]["pending_chunks"]) == ("", 1)
    assert any("cannot be reached" in note for note in found["notes"])
    told = remote("search", "a_late_giraffe", project)
    assert told.code == 0 and told.err.count("cannot be reached") <= 2
    box.start()
    found = answer(remote, "a_late_giraffe", project)
    assert (found["encoder"][:4], found["freshness"]["pending_chunks"]) == ("m at", 0)


def test_a_server_that_was_never_there_leaves_words(c2llm: Program, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = answer(Program(c2llm.home, encoder=f"http://127.0.0.1:{port}"), "apply_ignore_rules", project)
    assert found["results"][0]["path"] == "app/ignore.py"
    assert found["freshness"]["pending_chunks"] == found["freshness"]["chunks"] > 0
    assert any("cannot be reached" in note for note in found["notes"])


@pytest.mark.parametrize("address", ["http://me:secret@h", "http://h?key=secret", "http://", "http://h#m&nonsense=1"])
def test_an_address_that_is_none_is_an_error(c2llm: Program, project: Path, address: str) -> None:
    done = c2llm("search", "x", project, "--encoder", address)
    assert done.code == 2
    assert done.err.startswith("c2llm: ") and "secret" not in done.err


def test_a_key_that_the_server_does_not_know_is_told_and_words_go_on(box: Box, c2llm: Program, project: Path) -> None:
    box.start(C2LLM_API_KEY="sk-right")
    client = Program(c2llm.home, encoder=box.url)
    assert answer(client, "rules", project, C2LLM_API_KEY="sk-right")["encoder"].startswith("m at")
    (project / "app/late.py").write_text("def a_late_giraffe():\n    return 1\n")
    found = answer(client, "giraffe", project, C2LLM_API_KEY="sk-wrong")
    assert found["results"][0]["path"] == "app/late.py"
    assert any("set C2LLM_API_KEY" in note for note in found["notes"])
    for path in c2llm.home.rglob("*"):
        assert not path.is_file() or b"sk-" not in path.read_bytes(), path


@pytest.mark.slow
def test_an_editor_is_answered_by_words_while_the_server_is_away_and_by_meaning_when_it_is_back(
    editor: Client, box: Box, project: Path
) -> None:
    editor.initialize(project)
    editor.ready()
    assert editor.search("rules")["encoder"].startswith("m at")
    box.die()
    folder = Opened(editor, project)
    folder.open("app/new.py", "def bake_chocolate_cake(oven):\n    return oven.heat('flour')\n")
    (project / "app/late.py").write_text("def a_late_giraffe():\n    return 1\n")
    editor.eventually(lambda: editor.finds("a_late_giraffe", "app/late.py"))
    found = folder.search("bake_chocolate_cake")
    assert found["hits"][0]["path"] == "app/new.py"
    assert found["encoder"] == "" and any("cannot be reached" in note for note in found["notes"])
    assert editor.search("giraffe")["freshness"]["pendingChunks"] == 2  # the buffer's, and the file's
    box.start()  # and nobody does anything else
    editor.eventually(lambda: editor.search("giraffe")["freshness"]["pendingChunks"] == 0)
    editor.eventually(lambda: editor.search("giraffe")["encoder"].startswith("m at"))
    assert "Traceback" not in editor.log
    assert sum("cannot be reached" in text for text in editor.messages()) <= 1


@pytest.mark.slow
def test_an_editor_that_starts_while_the_server_is_away_gets_it_when_it_comes(
    c2llm: Program, box: Box, project: Path, tmp_path: Path
) -> None:
    box.start()
    box.die()
    editor = started(SERVE, tmp_path / "editor", C2LLM_ENCODER=box.url)
    try:
        editor.initialize(project)
        editor.eventually(lambda: editor.finds("apply_ignore_rules", "app/ignore.py"))
        editor.eventually(lambda: editor.search("rules")["freshness"]["pendingChunks"] > 0)
        box.start()
        editor.eventually(lambda: editor.search("rules")["encoder"].startswith("m at"))
        editor.eventually(lambda: editor.search("rules")["freshness"]["pendingChunks"] == 0)
    finally:
        editor.dispose()


@pytest.mark.slow
def test_a_server_that_hangs_holds_up_no_editor(editor: Client, box: Box, project: Path) -> None:
    editor.initialize(project)
    editor.ready()
    box.freeze()
    first = editor.search("apply_ignore_rules")
    assert first["hits"][0]["path"] == "app/ignore.py" and first["encoder"] == ""
    for _ in range(20):
        assert editor.search("apply_ignore_rules")["encoder"] == ""
    assert box.process
    box.process.send_signal(signal.SIGCONT)
    editor.eventually(lambda: editor.search("rules")["encoder"].startswith("m at"))


def test_a_server_with_another_model_has_everything_embedded_anew(editor: Client, box: Box, project: Path) -> None:
    editor.initialize(project)
    editor.ready()
    box.die()
    box.start("embedded")
    (project / "app/late.py").write_text("def a_late_giraffe():\n    return 1\n")
    editor.eventually(lambda: editor.finds("a_late_giraffe", "app/late.py"))
    editor.eventually(
        lambda: (
            (found := editor.search("giraffe"))["encoder"].startswith("m at")
            and not found["freshness"]["pendingChunks"]
        )
    )


@pytest.mark.slow
def test_nobody_is_called_who_was_not_configured(c2llm: Program, box: Box, project: Path, tmp_path: Path) -> None:
    """Not even the server of before, while the vectors of the encoder that was chosen after it are made."""
    box.start()
    home = tmp_path / "nobody"
    home.mkdir()
    environ = guarded(home, box.url)
    command = [*Program(home).command("search", "rules", project)]
    caught = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False)
    assert caught.returncode == CAUGHT  # the guard sees it
    shutil.rmtree(home)
    home.mkdir()
    own = Program(home, encoder=box.url)
    assert answer(own, "rules", project)["encoder"].startswith("m at")
    (tmp_path / "attempts").unlink()
    environ = {**guarded(home, "overlap"), "C2LLM_CACHE_DIR": str(own.cache)}
    for options in (["--no-wait"], []):
        done = subprocess.run(
            [*command, *options], env=environ, cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False
        )
        assert (done.returncode, (tmp_path / "attempts").exists()) == (0, False), done.stderr


def test_a_search_without_it_imports_nothing_of_it(c2llm: Program, project: Path) -> None:
    code = f"""
import runpy, sys
sys.argv[1:] = ["search", "rules", {str(project)!r}]
try:
    runpy.run_module("c2llm_lsp", run_name="__main__")
finally:
    print([name for name in ("httpx2", "starlette", "uvicorn", "retrieval.encoders.remote") if name in sys.modules])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=c2llm.environment(), cwd=c2llm.home, capture_output=True, text=True, check=False)
    assert "ignore.py" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_model_use_keeps_the_address_and_no_key(c2llm: Program, box: Box, project: Path, tmp_path: Path) -> None:
    box.start(C2LLM_API_KEY="sk-right")
    config = tmp_path / "config.toml"
    environ = {"C2LLM_CONFIG": str(config), "C2LLM_ENCODER": "", "C2LLM_API_KEY": "sk-right"}
    done = c2llm("model", "use", box.url, environ=environ)
    assert done.code == 0 and "m at" in done.out
    assert config.read_text() == f'encoder = "{box.url}"\n'
    assert answer(c2llm, "rules", project, **environ)["encoder"].startswith("m at")
    told = c2llm("doctor", project, environ=environ)
    assert "m at" in told.out and "sk-right" not in told.out + told.err
    box.die()
    told = c2llm("doctor", project, environ=environ)
    assert "cannot be reached" in told.out and f"are sent to 127.0.0.1:{box.port}, with a key" in told.out
    told = c2llm("doctor", project, "--encoder", "http://0.0.0.0:1")
    assert "unencrypted" in told.out


@pytest.mark.slow
def test_watch_says_once_that_it_waits_and_goes_on_by_itself(remote: Program, box: Box, project: Path) -> None:
    process = remote.start("watch", project)
    assert process.stdout and process.stderr
    lines = iter(process.stdout.readline, "")
    assert any("embedded" in line for line in lines)
    box.die()
    (project / "app/late.py").write_text("def a_late_giraffe():\n    return 1\n")
    assert any("1 files read" in line for line in lines)
    assert "cannot be reached" in process.stderr.readline()
    box.start()
    assert any("1 embedded" in line for line in lines)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and "cannot be reached" not in err
