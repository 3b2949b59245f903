"""A large job is done by an index process: real processes, on a real workspace."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard

import psutil
import pytest

from c2llm_lsp.session.events import Done, Event, Progress
from c2llm_lsp.session.factories import open_workspace
from c2llm_lsp.session.index_process import parent
from c2llm_lsp.session.index_process.parent import is_worthwhile
from c2llm_lsp.session.job_queue import FilesChanged, FullScan
from c2llm_lsp.session.job_runner import LARGE
from c2llm_lsp.session.session import Delays, Session
from c2llm_lsp.settings import Settings
from retrieval.engine import Workspace
from tests.cli.program import lay_out
from tests.patience import PATIENCE
from tests.session import held_child

FILES = LARGE + 50


def code(number: int) -> str:
    return f"def function_{number}():\n    return {number}\n"


def index_processes() -> list[psutil.Process]:
    """Those of this process that run."""
    running = []
    for child in psutil.Process().children():
        try:
            if "c2llm_lsp.session.index_process.child" in " ".join(child.cmdline()):
                running.append(child)
        except psutil.Error:  # it has just ended
            continue
    return running


def is_held(event: Event) -> bool:
    """Whether it tells that the process of `held_child` waits."""
    return isinstance(event, Progress) and event.stage == "words" and event.done == held_child.HELD_AT


def is_storing(event: Event) -> TypeGuard[Progress]:
    """Whether it tells of a scan that stores files."""
    return isinstance(event, Progress) and event.stage == "words" and event.done > 0


class Running:
    """A session with its events, and what a test does at one of them, on the session's thread."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self.seen: list[Event] = []
        self.at: Callable[[Event], None] = lambda event: None
        self._came = threading.Condition()
        self.workspace = workspace
        self.session = Session(workspace, self._event, process_settings=settings, delays=Delays(retry=0.05))

    def _event(self, event: Event) -> None:
        self.at(event)
        with self._came:
            self.seen.append(event)
            self._came.notify_all()

    def wait(self, condition: Callable[[], object]) -> None:
        with self._came:
            assert self._came.wait_for(condition, PATIENCE), self.seen[-5:]

    def done(self) -> list[Done]:
        return [event for event in self.seen if isinstance(event, Done)]

    def scans(self) -> list[Done]:
        return [event for event in self.done() if isinstance(event.job, FullScan)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(encoder="overlap", cache_dir=str(tmp_path / "cache"))


@pytest.fixture
def running(tmp_path: Path, settings: Settings) -> Iterator[Running]:
    root = lay_out(tmp_path / "project", {f"m{i}.py": code(i) for i in range(FILES)})
    with open_workspace(root, settings) as workspace:
        running = Running(workspace, settings)
        yield running
        running.session.stop()
    assert index_processes() == []


def test_a_large_job_is_done_by_another_process_and_told_by_this_one(running: Running) -> None:
    seen: list[int] = []
    running.at = lambda event: seen.extend(process.pid for process in index_processes())
    running.session.start()
    running.wait(running.done)
    (done,) = running.done()
    assert done.job == FullScan("start")
    assert (done.report.files_changed, done.report.chunks_embedded) == (FILES, FILES)
    assert {event.stage for event in running.seen if isinstance(event, Progress)} >= {"words", "vectors"}
    assert seen
    found = running.workspace.search(f"function_{FILES - 1}")
    assert found.hits[0].chunk.path == f"m{FILES - 1}.py"
    assert (found.freshness.pending_files, found.freshness.pending_chunks, found.freshness.stale) == (0, 0, False)


def test_a_small_job_needs_no_process(running: Running) -> None:
    for number in range(LARGE - 10, FILES):
        (running.workspace.root / f"m{number}.py").unlink()
    seen: list[int] = []
    running.at = lambda event: seen.extend(process.pid for process in index_processes())
    running.session.start()
    running.wait(running.done)
    assert seen == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "said"), [(signal.SIGKILL, "died (SIGKILL)"), (signal.SIGSEGV, "Fatal Python error: Segmentation fault")]
)
def test_an_index_process_that_dies_costs_nothing_but_time_and_the_log_says_why(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    how: signal.Signals,
    said: str,
) -> None:
    monkeypatch.setattr(parent, "PROGRAM", held_child.PROGRAM)

    def kill(event: Event) -> None:
        if is_held(event):
            for process in index_processes():
                process.send_signal(how)

    running.at = kill
    running.session.start()
    running.wait(running.done)
    assert said in caplog.text
    assert f"died ({how.name})" in caplog.text
    assert running.workspace.status().files == FILES
    assert running.workspace.freshness().pending_chunks == 0


def test_what_changes_meanwhile_is_passed_on(running: Running) -> None:
    changed: list[str] = []

    def change(event: Event) -> None:
        if is_storing(event) and not changed:
            changed.append("m0.py")
            (running.workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
            running.session.changed(changed)

    running.at = change
    running.session.start()
    running.wait(lambda: any(event.job == FilesChanged(("m0.py",)) for event in running.done()))
    running.wait(lambda: any(not event.report.cancelled for event in running.scans()))
    assert running.workspace.search("walrus").hits[0].chunk.path == "m0.py"


def test_a_pause_is_passed_on_and_leaves_true_counts(running: Running, paused_midway: None) -> None:
    """Also behind a file that changes during the pause: its end is not the end of the pause."""
    assert running.session.status.state == "paused"
    stored = running.workspace.status().files
    assert stored == held_child.HELD_AT
    assert running.workspace.freshness().pending_files == FILES - stored
    (running.workspace.root / "walrus.py").write_text("def walrus():\n    return 1\n")
    running.session.changed(["walrus.py"])
    running.wait(lambda: any(event.job == FilesChanged(("walrus.py",)) for event in running.done()))
    assert running.workspace.search("walrus").hits[0].chunk.path == "walrus.py"
    assert running.session.status.state == "paused"
    assert running.workspace.freshness().pending_files == FILES - stored


@pytest.mark.slow
def test_a_paused_job_is_resumed(running: Running, paused_midway: None) -> None:
    running.session.resume()
    running.wait(lambda: any(not event.report.cancelled for event in running.scans()))
    assert running.scans()[-1].job == FullScan("resumed")
    freshness = running.workspace.freshness()
    assert (freshness.files, freshness.pending_files, freshness.pending_chunks) == (FILES, 0, 0)
    assert running.session.status.state in ("maintaining", "idle")


@pytest.fixture
def paused_midway(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was paused when its process had stored some files."""
    monkeypatch.setattr(parent, "PROGRAM", held_child.PROGRAM)
    running.at = lambda event: running.session.pause() if is_held(event) else None
    running.session.start()
    running.wait(lambda: any(event.report.cancelled for event in running.scans()))
    running.at = lambda event: None
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("owner", "name", "value", "said"),
    [
        (sys, "executable", "/nothing/here", "No such file"),
        (parent, "PROGRAM", "raise SystemExit(3)", "died (exit code 3)"),
        (parent, "PROGRAM", "import no_such_library", "No module named 'no_such_library'"),
    ],
    ids=["cannot be started", "ends at once", "lacks a library"],
)
def test_without_another_process_this_one_does_it(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: object,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setattr(owner, name, value)
    running.session.start()
    running.wait(running.done)
    assert said in caplog.text
    assert running.workspace.status().files == FILES


def test_stopping_stops_it_too(running: Running) -> None:
    begun = threading.Event()
    running.at = lambda event: begun.set()
    running.session.start()
    assert begun.wait(PATIENCE)
    running.session.stop()
    assert index_processes() == []


@pytest.mark.parametrize("encoder", ["https://example.org/v1", "/a/folder", "codefuse-ai/C2LLM-0.5B"])
def test_only_what_comes_with_the_package_is_loaded_twice(encoder: str) -> None:
    assert is_worthwhile(Settings())
    assert not is_worthwhile(Settings(encoder=encoder))
