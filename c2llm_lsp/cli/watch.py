"""`c2llm watch`: keep the index current, and say what is done. Ctrl-C or SIGTERM ends it, and that is no failure."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, complain, guarded, locate, open_workspace, remark, tell
from c2llm_lsp.cli.progress import LABELS, LINE_EVERY
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.session.events import Busy, Done, Event, Failed, Progress
from c2llm_lsp.session.session import Session
from retrieval.types import IndexReport

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def watch(path: options.WorkspacePath = None, encoder: options.Encoder = None, quiet: options.Quiet = False) -> int:
    """Keep the index current while files change, and say what is done.

    Catches up first. Searches meanwhile, from here or anywhere, see each change within moments.
    """
    from retrieval.files import Watcher, WatchTiming

    target = locate(path, quiet=quiet, encoder=encoder)
    with open_workspace(target) as workspace, ended_by_signals() as end:
        session = Session(workspace, WatchReporter(quiet=quiet))
        timing = WatchTiming(quiet=target.settings.debounce_ms / 1000)
        watcher = Watcher(target.root, workspace.scanner, session.follow, timing=timing, on_hold=session.hold)
        watcher.start()  # before the session looks: what changes in between is seen twice rather than never
        try:
            for note in () if quiet else watcher.notes:
                remark(note)
            say(f"Watching {target.root}", quiet)
            session.start()
            end.wait()
        finally:
            watcher.stop()
            session.stop()
    say("Stopped.", quiet)
    return FOUND


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set."""
    end = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: end.set())
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class WatchReporter:
    """Prints one line for each thing done. What changes nothing is not told, but for the first look."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._last_line = time.monotonic()
        self._last = ""

    def __call__(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress(event)
            case Failed(_, error):
                self._once(error_message(error))
            case Busy(_, report):
                self._once(report.notes[0])
            case Done(job, report):
                self._last = self._last if report.unreachable else ""
                self._done(job.cause, report)

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.total and now - self._last_line >= LINE_EVERY:
            self._last_line = now
            label, unit = LABELS.get(event.stage, (event.stage, "steps"))
            say(f"{label}: {event.done:,} of {event.total:,} {unit}", self._quiet)

    def _once(self, text: str) -> None:
        """What keeps the session from working, once and not at each try."""
        if text != self._last:
            self._last = text
            complain(text)

    def _done(self, cause: str, report: IndexReport) -> None:
        if report.unreachable:
            self._once(report.notes[0])
        worked = report.files_changed or report.files_removed or report.chunks_embedded or report.chunks_reused
        if worked or (cause == "start" and not report.cancelled):
            say(f"{report_summary(report)}" + (f" ({cause})" if cause else ""), self._quiet)


def report_summary(report: IndexReport) -> str:
    """What a job did: files, chunks, embedded, milliseconds."""
    files = f"{report.files_changed:,} files read"
    if report.files_removed:
        files += f", {report.files_removed:,} gone"
    chunks = f"{report.chunks_added:,} chunks added, {report.chunks_removed:,} removed"
    embedded = f"{report.chunks_embedded:,} embedded, {report.chunks_reused:,} known already"
    end = ", to be continued" if report.cancelled else ""
    return f"{files}; {chunks}; {embedded}; {1e3 * report.seconds:,.0f} ms{end}"


def say(text: str, quiet: bool) -> None:
    """A line with the time, at once: somebody may be reading along in a log."""
    if not quiet:
        tell(f"{time.strftime('%H:%M:%S')} {text}")
        sys.stdout.flush()
