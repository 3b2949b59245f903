"""The program of an index process: a session on the parent's workspace that obeys commands and reports what it does."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.session.events import Busy, Done, Event, Failed, Progress, StateChanged
from c2llm_lsp.session.factories import open_workspace
from c2llm_lsp.session.index_process import messages, parent
from c2llm_lsp.session.job_queue import FilesChanged
from c2llm_lsp.session.session import Delays, Session
from retrieval.errors import C2llmError
from retrieval.indexing.ipc import claim_stdout, lower_priority, receive, send

_NICENESS = 10  # its own workers add to that; queries and other programs go first

logger = logging.getLogger(__name__)


class Reporter:
    """Sends reports to the parent, from any thread."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self.commands_seen = 0

    def send(self, report: messages.Report) -> None:
        with self._lock, suppress(OSError):  # nobody listens any more: stdin ends too
            send(self._pipe, messages.encode(report))

    def send_event(self, event: Event) -> None:
        if (report := report_of(event)) is not None:
            self.send(report)

    def send_idle(self) -> None:
        """On the session's thread, while it holds its lock."""
        self.send(messages.Idle(self.commands_seen))


def main() -> None:
    reporter = Reporter(claim_stdout())
    faulthandler.enable()  # where it was when a library crashed
    lower_priority(_NICENESS)
    serve(messages.decode(receive(sys.stdin.buffer), messages.Start), sys.stdin.buffer, reporter)
    os._exit(0)  # what is stored is stored: nobody waits for a thread that is still at work


def serve(start: messages.Start, commands: IO[bytes], reporter: Reporter) -> None:
    """Index until the commands end."""
    root = Path(start.root)
    try:
        workspace = open_workspace(root, start.settings)
    except Exception as error:
        if not isinstance(error, C2llmError | OSError):
            logger.exception("%s cannot be opened", root)
        reporter.send(messages.Failed(error_message(error)))
        return
    session = Session(
        workspace, reporter.send_event, delays=Delays(maintain=0.0, verify=None), on_idle=reporter.send_idle
    )
    session.start(start.cause)
    with suppress(EOFError, ValueError):
        while True:
            command = messages.decode(receive(commands), messages.Command)
            with session.lock:  # it must not report that it is idle in between
                reporter.commands_seen += 1
                obey(session, command)
    session.stop(parent.STOP_SECONDS)  # an encoder that hangs must not keep this process
    workspace.close()


def obey(session: Session, command: messages.Command) -> None:
    match command:
        case messages.Changed(paths):
            session.changed(paths)
        case messages.Rescan(cause):
            session.rescan(cause)
        case messages.Cancel():
            session.pause()


def report_of(event: Event) -> messages.Report | None:
    """The report of an event; None for what the parent knows because it has sent the command."""
    match event:
        case Progress(_, stage, done, total):
            return messages.Progress(stage, done, total)
        case Done(job, report):
            paths = job.paths if isinstance(job, FilesChanged) else None
            return messages.Done(paths, job.cause, report)
        case Busy(_, report):
            return messages.Busy(report)
        case Failed(_, error):
            return messages.Failed(error_message(error))
        case StateChanged():
            return None
