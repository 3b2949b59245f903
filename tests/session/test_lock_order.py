"""Locks are always taken in one order, which docs/threads.md tells: no two threads can wait for each other."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from c2llm_lsp.session.events import Done, Event
from c2llm_lsp.session.session import Delays, Session
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.indexing import pipeline
from tests.cli.program import lay_out
from tests.patience import PATIENCE
from tests.session.lock_order import LockOrder

PAGE = Path(__file__).parents[2] / "docs" / "threads.md"


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LockOrder:
    """What is recorded while a workspace is indexed, edited, searched and maintained."""
    order = LockOrder()
    order.install(monkeypatch)
    monkeypatch.setattr(pipeline, "AHEAD_FROM", 1)
    root = lay_out(tmp_path / "project", {f"m{i}.py": f"def function_{i}():\n    return {i}\n" for i in range(9)})
    done, idle = threading.Semaphore(0), threading.Event()

    def on_event(event: Event) -> None:
        if isinstance(event, Done):
            done.release()

    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        session = Session(workspace, on_event, delays=Delays(maintain=0.0), on_idle=idle.set)
        session.start()
        assert done.acquire(timeout=PATIENCE)
        session.set_buffer("m1.py", "def walrus():\n    return 1\n")
        assert workspace.search("walrus").hits
        (root / "m2.py").write_text("def heron():\n    return 2\n")
        idle.clear()
        session.changed(["m2.py"])
        session.close_buffer("m1.py")
        assert done.acquire(timeout=PATIENCE)
        session.pause()
        session.resume()
        assert done.acquire(timeout=PATIENCE)
        assert workspace.search("heron").hits and workspace.status().files == 9
        assert idle.wait(PATIENCE)
        session.stop()
    return order


def test_locks_are_taken_in_one_order(order: LockOrder) -> None:
    assert order.edges
    assert order.cycle() == []


def test_the_page_on_threads_tells_that_order(order: LockOrder) -> None:
    """Each pair that is seen stands in the page's list, the one that is held above the one that is taken."""
    rows = re.findall(r"^\d+\. .*?`(\w+\.\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ranks = {name: rank for rank, name in enumerate(rows)}
    wrong = {(held, taken) for held, taken in order.edges if ranks.get(held, 99) >= ranks.get(taken, -1)}
    assert not wrong


def test_the_page_on_threads_names_every_thread() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (PAGE.parents[1] / "c2llm_lsp").rglob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in (PAGE.parents[1] / "retrieval").rglob("*.py")]
    threads = {
        name for text in sources for name in re.findall(r'(?:name=|Executor\(\w+, |Latest\()"(c2llm-[a-z-]+)"', text)
    }
    page = PAGE.read_text(encoding="utf-8")
    assert "c2llm-session" in threads
    assert {name for name in threads if f"`{name}`" not in page} == set()
