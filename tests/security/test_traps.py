"""No code of a workspace runs, whatever is done in it with the workspace as the current directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.finetune.git_history import commits_of
from retrieval.training.pair_sources import derive
from retrieval.training.tasks import DataError
from tests.cli.program import CHECKOUT, Program
from tests.patience import PATIENCE
from tests.security.traps import lay_traps, make_partial, sprung
from tests.server.client import Client

QUESTION = "ignore rule excludes the path"
# The graph, and so the trial of hnswlib, at the size of a test.
LOWERED = "import retrieval.indexing.vector_sync as sync\nsync.GRAPH_FROM = 10\n"
SCRIPT = "import sys\nfrom c2llm_lsp.cli import main\nsys.exit(main())\n"


class Trapped:
    """A workspace full of traps, a home beside it, and `c2llm` started in the workspace as a person's shell would."""

    def __init__(self, folder: Path, *, customize: bool = True, python_path: str = "") -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.marks = folder / "marks"
        self.root = lay_traps(folder / "workspace", self.marks, customize=customize)
        self.script = self.home / "c2llm"  # what pip makes
        self.script.write_text(SCRIPT)
        self.lowered = self.home / "lowered"
        self.lowered.write_text(LOWERED + SCRIPT)
        trap = str(self.root / "git")
        self.environment = Program(self.home).environment(
            PATH=f".::bin:{self.root / '.venv' / 'bin'}:{os.environ['PATH']}:",
            PYTHONPATH=f"{CHECKOUT}{python_path}",
            PYTHONSTARTUP="sitecustomize.py",
            PYTHONBREAKPOINT="conftest.trap",
            PYTHONUNBUFFERED="1",
            GIT_EXTERNAL_DIFF=trap,
            GIT_SSH_COMMAND=trap,
            GIT_PAGER=trap,
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="core.fsmonitor",
            GIT_CONFIG_VALUE_0=trap,
        )

    def start(self, *arguments: str | Path, script: Path | None = None) -> subprocess.Popen[bytes]:
        how = [str(script)] if script else ["-m", "c2llm_lsp"]
        return subprocess.Popen(
            [sys.executable, *how, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.root,
            env=self.environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __call__(self, *arguments: str | Path, given: str = "", script: Path | None = None, fine: bool = True) -> str:
        process = self.start(*arguments, script=script)
        printed = process.communicate(given.encode(), PATIENCE)[0].decode()
        assert process.returncode == 0 or not fine, printed
        assert "Traceback" not in printed, printed
        assert sprung(self.marks) == [], (arguments, printed)
        return printed


@pytest.fixture
def trapped(tmp_path: Path) -> Trapped:
    return Trapped(tmp_path)


def test_the_traps_work(trapped: Trapped) -> None:
    """Else all other tests here would show nothing."""
    environment = {name: value for name, value in trapped.environment.items() if not name.startswith("GIT_")}
    for command in (
        [sys.executable, "-c", "import hnswlib, numpy, onnxruntime, typer, sqlite3, platform"],
        ["/usr/bin/git", "log", "-p", "--ext-diff"],
        ["/usr/bin/git", "log", "-p", "--textconv", "--no-ext-diff"],
        ["/usr/bin/git", "status"],
        ["git"],
    ):
        subprocess.run(command, cwd=trapped.root, env=environment, capture_output=True, check=False, timeout=PATIENCE)
    assert {"module hnswlib", "module numpy", "module sqlite3", "git gpg", "git fsmonitor"} <= set(
        sprung(trapped.marks)
    )
    assert {"git diff command", "git textconv", "program git in workspace"} <= set(sprung(trapped.marks))


@pytest.mark.slow
def test_the_trial_of_hnswlib_imports_nothing_of_the_workspace(trapped: Trapped) -> None:
    printed = trapped("search", QUESTION, script=trapped.lowered)
    assert "app.py" in printed or ".py" in printed
    trapped("doctor", fine=False)
    for file in trapped.home.rglob("hnswlib.json"):
        assert json.loads(file.read_text())["problem"] == ""


@pytest.mark.slow
def test_a_relative_python_path_of_the_user_leads_to_no_import(tmp_path: Path) -> None:
    """An empty entry is the current directory too: `PYTHONPATH=$PYTHONPATH:`."""
    trapped = Trapped(tmp_path, customize=False, python_path=os.pathsep + "." + os.pathsep)
    trapped("search", QUESTION, script=trapped.script)
    assert sprung(trapped.marks) == []


def test_reading_the_history_runs_nothing(trapped: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trapped.root)
    for name, value in trapped.environment.items():
        if name.startswith(("GIT_", "PATH")):
            monkeypatch.setenv(name, value)
    assert len(commits_of(trapped.root)) == 2
    assert len(list(derive("commits", trapped.root))) == 2
    assert sprung(trapped.marks) == []


def test_the_history_of_a_partial_clone_fetches_nothing(trapped: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    name = subprocess.run(
        ["/usr/bin/git", "rev-parse", "HEAD:app.py"], cwd=trapped.root, capture_output=True, text=True, check=True
    ).stdout.strip()
    (trapped.root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    for address in ("ext::{program}", "less::x", str(trapped.root), f"ssh://host{trapped.root}"):
        make_partial(trapped.root, trapped.marks, address)
        with pytest.raises(DataError, match="commits to read"):
            list(derive("commits", trapped.root))
    assert sprung(trapped.marks) == []


def test_the_history_of_a_repository_with_a_submodule_runs_nothing_of_either(trapped: Trapped, tmp_path: Path) -> None:
    """With `diff.submodule=diff`, git starts another git in the submodule, without the options that we gave."""
    inner = lay_traps(trapped.root / "inner", tmp_path / "inner-marks")
    first, second = (
        subprocess.run(
            ["/usr/bin/git", "rev-parse", revision], cwd=inner, capture_output=True, text=True, check=True
        ).stdout.strip()
        for revision in ("HEAD~1", "HEAD")
    )
    settings = (
        "user.name=a user.email=a@b core.hooksPath= core.fsmonitor=false filter.process.process= filter.trap.process="
    )
    names = [part for setting in settings.split() for part in ("-c", setting)]
    for commit in (first, second):
        for command in (
            ("update-index", "--add", "--cacheinfo", f"160000,{commit},inner"),
            ("commit", "-qm", "Move the inner module to another commit"),
        ):
            subprocess.run(["/usr/bin/git", *names, *command], cwd=trapped.root, check=True, capture_output=True)
    for mark in trapped.marks.iterdir():
        mark.unlink()
    list(derive("commits", trapped.root))
    commits_of(trapped.root)
    assert sprung(trapped.marks) + sprung(tmp_path / "inner-marks") == []
    options = ("-c", "log.showSignature=false", "log", "-p", "--no-ext-diff", "--no-textconv")
    subprocess.run(["/usr/bin/git", *options], cwd=trapped.root, check=False, capture_output=True)
    assert sprung(tmp_path / "inner-marks"), "the trap does not work"


@pytest.mark.slow
def test_no_command_runs_anything_of_the_workspace(trapped: Trapped) -> None:
    trapped("index")
    place = "app.py:2"
    batch = json.dumps({"query": QUESTION}) + "\n"
    trapped("status", script=trapped.script)
    trapped("similar", place)
    trapped("context", QUESTION, script=trapped.script)
    trapped("explain", place, "--query", QUESTION, fine=False)
    trapped("batch", given=batch)
    trapped("search", "--grep", "rule", "--code-only", QUESTION)
    trapped("chunks", "app.py")
    trapped("languages")
    trapped("--show-completion")
    trapped("model", script=trapped.script)
    trapped("adapt", fine=False)
    trapped("evaluate", "own", fine=False)
    trapped("bench", "--queries", "3", fine=False)
    watching = trapped.start("watch")
    assert watching.stdout is not None
    assert watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=PATIENCE)
    trapped("clear", "--yes", fine=False)
    assert sprung(trapped.marks) == []


@pytest.mark.slow
def test_the_language_server_runs_nothing_of_the_workspace(trapped: Trapped) -> None:
    log = trapped.home / "server.log"
    log.touch()
    client = Client(trapped.start("serve", "--log-file", log), log)
    try:
        client.initialize(trapped.root)
        uri = (trapped.root / "app.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": "import numpy\n"}
        client.notify("textDocument/didOpen", {"textDocument": document})
        client.ready()
        assert client.search(QUESTION)["hits"]
        client.leave()
    finally:
        client.dispose()
    assert sprung(trapped.marks) == []


@pytest.mark.slow
def test_the_server_for_assistants_runs_nothing_of_the_workspace(trapped: Trapped) -> None:
    pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")
    process = trapped.start("mcp", script=trapped.lowered)
    assert process.stdin is not None
    assert process.stdout is not None
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    call = {"name": "search", "arguments": {"query": QUESTION}}
    for message in (
        {"id": 1, "method": "initialize", "params": about},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    ):
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        process.stdin.flush()
    answers = (json.loads(line) for line in process.stdout if line.startswith(b"{"))
    answer = next(message for message in answers if message.get("id") == 2)
    assert not answer["result"].get("isError"), answer
    process.communicate(timeout=PATIENCE)
    assert sprung(trapped.marks) == []
