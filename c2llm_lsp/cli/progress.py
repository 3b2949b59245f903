"""Progress of indexing on standard error: a bar at a terminal, a line now and then elsewhere, nothing with --quiet.

Nothing is shown for work that is over at once, which is what every search after the first one does. Ctrl-C asks the
engine to stop at the next safe point, so that what is done is kept; a second Ctrl-C stops at once.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from c2llm_lsp.cli.common import remark
from retrieval.errors import StoreError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from retrieval.engine import Workspace
    from retrieval.types import IndexReport

SHOW_AFTER = 0.25  # seconds; a bar shown for less only distracts
BUSY_POLL = 0.5  # seconds between checks whether another process has finished
MAINTAIN_AFTER = 2_000  # new chunks; compared with embedding so many, the seconds for the graph do not matter
LINE_EVERY = 2.0  # seconds between lines where there is no terminal, as in a CI log
LABELS = {
    "scan": ("Scanning files", "files"),
    "words": ("Reading files", "files"),
    "vectors": ("Embedding", "chunks"),
    "graph": ("Building the graph", "chunks"),
    "download": ("Downloading", "MB"),
    "pairs": ("Extracting comments", "files"),
    "before": ("Evaluating the current model", "chunks and questions"),
    "learn": ("Training", "steps"),
    "after": ("Evaluating the new model", "chunks and questions"),
}


def refresh(workspace: Workspace, *, quiet: bool, wait: bool = False) -> IndexReport:
    """Bring the index up to date, showing how far it is. With `wait`, until another process that does so is done."""
    from retrieval.indexing import processors

    with progress_view(quiet=quiet) as progress, cancel_on_interrupt() as cancel:
        report = workspace.refresh(progress=progress, cancel=cancel)
        if report.busy and wait and not quiet:
            remark(f"{report.notes[0]} Waiting for it.")
        while report.busy and wait and not cancel.wait(BUSY_POLL):
            report = workspace.refresh(progress=progress, cancel=cancel)
        if report.chunks_added > MAINTAIN_AFTER and not report.cancelled:
            workspace.maintain(cancel, progress, threads=processors())
        return replace(report, cancelled=report.cancelled or cancel.is_set())


def verify(workspace: Workspace) -> None:
    """Compare the index with itself and with the disk, where that is due."""
    with cancel_on_interrupt() as cancel, suppress(StoreError):  # the next query meets it, and says so
        workspace.verifier.run(cancel)


@contextmanager
def progress_view(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress callback (stage, done, total) for the kind of standard error."""
    if quiet:
        yield lambda *_: None
        return
    view = BarProgress() if sys.stderr.isatty() else LineProgress()
    try:
        yield view
    finally:
        view.close()


@contextmanager
def cancel_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the next one interrupts as always."""
    cancel = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


class LineProgress:
    """Progress as plain lines."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if total and now - self._last >= LINE_EVERY:
            self._last = now
            label, unit = LABELS.get(stage, (stage, "steps"))
            remark(f"{label}: {done:,} of {total:,} {unit} ({100 * done // total} %)")

    def close(self) -> None:
        pass


class BarProgress:
    """Progress as a bar with percentage, count, rate and time left; it goes away when it is done."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._progress is None:
            if not total or time.monotonic() - self._started < SHOW_AFTER:
                return
            self._progress = _bar()
            self._progress.start()
        label, unit = LABELS.get(stage, (stage, "steps"))
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, visible=False)
            self._tasks[stage] = self._progress.add_task(label, total=total or None, unit=unit)
        self._progress.update(self._tasks[stage], completed=done, total=total or None, visible=True)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            speed = task.speed or 0
            return Text(f"{speed:,.0f}/s" if speed else "", style="cyan")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]}"),
        Rate(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    )
