"""A workspace that is watched and kept current by a session, as a language server does it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from c2llm_lsp.session.events import Event, Failed
from c2llm_lsp.session.session import Delays, Session
from retrieval.engine import Workspace
from retrieval.files import ChangeBatch, Watcher
from tests.engine.indexed import CountingEncoder
from tests.patience import PATIENCE


class Live:
    """A workspace that is watched, and how to wait until it has seen everything."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.workspace = Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache)
        self.batches: list[ChangeBatch] = []
        self.kinds: list[str] = []
        self.failures: list[Event] = []
        self._came = threading.Condition()
        self.session = Session(self.workspace, self._event, delays=Delays(retry=0.1))
        self.watcher = Watcher(root, self.workspace.scanner, self._changes)

    def _changes(self, changes: ChangeBatch) -> None:
        self.batches.append(changes)
        if changes.rescan:
            self.session.rescan(changes.reason)
        else:
            self.session.changed(changes.paths)

    def _event(self, event: Event) -> None:
        with self._came:
            self.kinds.append(type(event).__name__)
            if isinstance(event, Failed):
                self.failures.append(event)
            self._came.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(condition, PATIENCE), (self.kinds[-5:], self.workspace.freshness())

    def stop(self) -> None:
        self.watcher.stop()
        self.session.stop()
        self.workspace.close()

    def settle(self) -> None:
        """Wait until a file that is made now is found: whatever came before it was told before it."""
        name = f"last_{time.monotonic_ns()}"
        (self.root / f"{name}.py").write_text(f"def {name}():\n    return 1\n")

        def found() -> bool:
            freshness = self.workspace.freshness()
            return bool(self.workspace.store.chunks.by_symbol([name])) and not freshness.stale

        self.wait(found)


@contextmanager
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "root").mkdir(exist_ok=True)
    running = Live(tmp_path / "root", tmp_path / "cache")
    running.watcher.start()
    assert running.watcher.mode == "native"
    try:
        running.session.start()
        running.settle()
        yield running
    finally:
        running.stop()
