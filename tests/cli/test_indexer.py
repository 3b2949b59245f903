"""A large job is done by a process of its own: real processes, on a real workspace."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import c2llm_lsp.session.index_process as indexers
from c2llm_lsp.session.index_process import worthwhile
from c2llm_lsp.session.session import LARGE, Event, Session, opened
from c2llm_lsp.settings import Settings
from retrieval.engine import Workspace
from tests.cli.program import lay_out

PATIENCE = 60.0
FILES = LARGE + 50


def code(number: int) -> str:
    return f"def function_{number}():\n    return {number}\n"


def helpers() -> list[psutil.Process]:
    """The processes that index for this one."""
    found = []
    for child in psutil.Process().children():
        try:
            if "c2llm_lsp.session.index_process" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:  # it has just ended
            continue
    return found


class Watched:
    """A session with its events, and what is to happen at one of them."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self.seen: list[Event] = []
        self.at: Callable[[Event], None] = lambda event: None
        self._came = threading.Condition()
        self.workspace = workspace
        self.session = Session(workspace, self._event, helped_by=settings, retry_after=0.05)

    def _event(self, event: Event) -> None:
        self.at(event)
        with self._came:
            self.seen.append(event)
            self._came.notify_all()

    def wait(self, condition: Callable[[], object]) -> None:
        with self._came:
            assert self._came.wait_for(condition, PATIENCE), self.seen[-5:]

    def done(self) -> list[Event]:
        return [event for event in self.seen if event.kind == "done"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(encoder="overlap", cache_dir=str(tmp_path / "cache"))


@pytest.fixture
def watched(tmp_path: Path, settings: Settings) -> Iterator[Watched]:
    root = lay_out(tmp_path / "project", {f"m{i}.py": code(i) for i in range(FILES)})
    with opened(root, settings) as workspace:
        watched = Watched(workspace, settings)
        yield watched
        watched.session.stop()
    assert helpers() == []


def test_a_large_job_is_done_by_another_process_and_told_by_this_one(watched: Watched) -> None:
    seen: list[int] = []
    watched.at = lambda event: seen.extend(helper.pid for helper in helpers())
    watched.session.start()
    watched.wait(watched.done)
    (done,) = watched.done()
    assert done.job.cause == "start" and done.report
    assert (done.report.files_changed, done.report.chunks_embedded) == (FILES, FILES)
    assert {event.stage for event in watched.seen if event.kind == "progress"} >= {"words", "vectors"}
    assert seen
    found = watched.workspace.search(f"function_{FILES - 1}")
    assert found.hits[0].chunk.path == f"m{FILES - 1}.py"
    assert (found.freshness.pending_files, found.freshness.pending_chunks, found.freshness.stale) == (0, 0, False)


def test_a_small_job_needs_no_process(watched: Watched) -> None:
    for number in range(LARGE - 10, FILES):
        (watched.workspace.root / f"m{number}.py").unlink()
    seen: list[int] = []
    watched.at = lambda event: seen.extend(helper.pid for helper in helpers())
    watched.session.start()
    watched.wait(watched.done)
    assert seen == []


@pytest.mark.parametrize(
    ("how", "said"), [(signal.SIGKILL, "died (SIGKILL)"), (signal.SIGSEGV, "Fatal Python error: Segmentation fault")]
)
def test_a_helper_that_dies_costs_nothing_but_time_and_the_log_says_why(
    watched: Watched, caplog: pytest.LogCaptureFixture, how: signal.Signals, said: str
) -> None:
    def kill(event: Event) -> None:
        if event.stage == "words":
            for helper in helpers():
                helper.send_signal(how)

    watched.at = kill
    watched.session.start()
    watched.wait(watched.done)
    assert said in caplog.text
    assert f"died ({how.name})" in caplog.text
    assert watched.workspace.status().files == FILES
    assert watched.workspace.freshness().pending_chunks == 0


def test_what_changes_meanwhile_is_passed_on(watched: Watched) -> None:
    said = threading.Event()

    def change(event: Event) -> None:
        if event.stage == "words" and not said.is_set():
            said.set()
            (watched.workspace.root / "m0.py").write_text("def walrus():\n    return 1\n")
            watched.session.changed(["m0.py"])

    watched.at = change
    watched.session.start()
    watched.wait(lambda: any(event.job.paths is None for event in watched.done()))
    watched.wait(lambda: not watched.workspace.freshness().stale)
    assert watched.workspace.search("walrus").hits[0].chunk.path == "m0.py"


def test_it_can_be_cancelled(watched: Watched) -> None:
    watched.at = lambda event: watched.session.cancel() if event.stage == "words" else None
    watched.session.start()
    watched.wait(watched.done)
    assert watched.done()[-1].report.cancelled or watched.workspace.freshness().pending_chunks == 0  # type: ignore[union-attr]
    watched.at = lambda event: None
    watched.session.rescan("asked")
    watched.wait(lambda: any(e.job.cause == "asked" and not e.report.cancelled for e in watched.done()))  # type: ignore[union-attr]
    assert watched.workspace.freshness().pending_chunks == 0


@pytest.mark.parametrize(
    ("owner", "name", "value", "said"),
    [
        (sys, "executable", "/nothing/here", "No such file"),
        (indexers, "_BOOT", "raise SystemExit(3)", "died (exit code 3)"),
        (indexers, "_BOOT", "import no_such_library", "No module named 'no_such_library'"),
    ],
    ids=["cannot be started", "ends at once", "lacks a library"],
)
def test_without_another_process_this_one_does_it(
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: object,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setattr(owner, name, value)
    watched.session.start()
    watched.wait(watched.done)
    assert said in caplog.text
    assert watched.workspace.status().files == FILES


def test_stopping_stops_it_too(watched: Watched) -> None:
    begun = threading.Event()
    watched.at = lambda event: begun.set()
    watched.session.start()
    assert begun.wait(PATIENCE)
    watched.session.stop()
    assert helpers() == []


@pytest.mark.parametrize("encoder", ["https://example.org/v1", "/a/folder", "codefuse-ai/C2LLM-0.5B"])
def test_only_what_comes_with_the_package_is_loaded_twice(encoder: str) -> None:
    assert worthwhile(Settings())
    assert not worthwhile(Settings(encoder=encoder))
