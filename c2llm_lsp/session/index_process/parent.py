"""The parent's side of an index process: start, send, listen, log its stderr, stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from c2llm_lsp.session.index_process import messages
from c2llm_lsp.settings import Settings
from retrieval.indexing.ipc import describe_exit, receive, send
from retrieval.processes.helpers import StillRunning, can_start_python, code_running_main
from retrieval.processes.helpers import start as start_process

STOP_SECONDS = 5.0  # to end by itself, which takes as long as the batch that it is at
PROGRAM = code_running_main("c2llm_lsp.session.index_process.child")
_LINE = 4096  # bytes: what is longer is several lines of the log

logger = logging.getLogger(__name__)

Listener = Callable[["messages.Report | None"], None]


def is_worthwhile(settings: Settings) -> bool:
    """Whether a second copy of the encoder is cheap: not that of a checkpoint, which may fill a graphics card, and not
    that of a remote server, which the parent watches.
    """
    from retrieval.encoders import available

    return can_start_python() and settings.encoder in available()


class IndexProcess:
    """Started by its constructor, closed once. Commands are sent on one thread."""

    def __init__(self, start: messages.Start, on_report: Listener) -> None:
        """`on_report` gets each report on a thread of this object, and None when there are no more. Raises OSError where no
        process can be started.
        """
        self._sent = 0
        self._on_report = on_report
        self._process = start_process(PROGRAM, capture_stderr=True)
        self._threads = [
            threading.Thread(target=self._listen, name="c2llm-index-reports", daemon=True),
            threading.Thread(target=self._log_stderr, name="c2llm-index-stderr", daemon=True),
        ]
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, messages.encode(start))
        except OSError:
            self._process.kill()
            raise
        for thread in self._threads:
            thread.start()

    def send(self, command: messages.Command) -> None:
        """Pass on a command. A process that has died is reported by the listener."""
        self._sent += 1
        assert self._process.stdin is not None
        with suppress(OSError):
            send(self._process.stdin, messages.encode(command))

    def is_idle(self, report: messages.Idle) -> bool:
        """Whether this report came after all commands: an earlier one may have crossed a command on its way."""
        return report.commands_seen == self._sent

    def death(self) -> ChildProcessError:
        """How it ended, once it reports no more."""
        with suppress(StillRunning):
            return ChildProcessError(f"the index process died ({describe_exit(self._process.wait(STOP_SECONDS))})")
        return ChildProcessError("the index process reports no more")

    def close(self) -> None:
        """Let it end after the batch that it is at. What it wrote to stderr is in the log afterwards."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(StillRunning):
            self._process.wait(STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe, suppress(EOFError, OSError, ValueError, TypeError):
            while True:
                self._on_report(messages.decode(receive(pipe), messages.Report))
        self._on_report(None)

    def _log_stderr(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            for line in iter(lambda: pipe.readline(_LINE), b""):
                logger.warning("Index process: %s", line.decode(errors="replace").rstrip())
