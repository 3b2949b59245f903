"""A process of its own for large indexing jobs, so that the one that answers is not held up by them.

Reading, splitting words, storing and building a graph are Python that runs under the interpreter's lock: beside it a
question waits for its turn some hundred times. So a session that finds much to do starts this process, which opens the
same workspace with a session of its own, becomes its writer, does the job and the upkeep behind it, and ends. The one
that started it goes on answering, follows the commits as it would those of any other writer, passes on what changes
meanwhile, and hears of the progress.

It ends when its stdin does: when it is no longer needed, and when the parent is gone, whatever killed it. What it did
is stored, so whoever comes next goes on from there. What it writes to stderr, such as why it died, is in the parent's
log.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from c2llm_lsp.render.error_messages import sentence
from c2llm_lsp.settings import Settings
from retrieval.errors import C2llmError
from retrieval.indexing.ipc import (
    behave,
    how_it_ended,
    own_stdout,
    receive,
    send,
)
from retrieval.processes.helpers import NotYet, main_of, may_start, start
from retrieval.types import IndexReport, Skip

if TYPE_CHECKING:
    from c2llm_lsp.session.session import Event

STOP_SECONDS = 5.0  # to end by itself, which takes as long as the batch that it is at
_NICENESS = 10  # its own workers add to that; questions and other programs go first
_BOOT = main_of("c2llm_lsp.session.index_process")
_LINE = 4096  # bytes: what is longer is several lines of the log

logger = logging.getLogger(__name__)


def worthwhile(settings: Settings) -> bool:
    """Whether a second copy of the encoder is cheap: not that of a checkpoint, which may fill a graphics card, and not
    that of a server elsewhere, which the parent watches.
    """
    from retrieval.encoders import available

    return may_start() and settings.encoder in available()


class Indexer:
    """The parent's side. `said` is called with each message, on a thread of this object; None at the end."""

    def __init__(self, root: Path, settings: Settings, said: Callable[[tuple[Any, ...] | None], None]) -> None:
        """Raises OSError where no process can be started."""
        self._sent = 0
        self._said = said
        self._process = start(_BOOT, errors=True)
        self._threads = [
            threading.Thread(target=work, name="c2llm-indexer", daemon=True) for work in (self._listen, self._pass_on)
        ]
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, (str(root), dataclasses.asdict(settings)))
        except OSError:
            self._process.kill()
            raise
        for thread in self._threads:
            thread.start()

    def tell(self, *command: Any) -> None:
        """Pass on ("changed", paths), ("rescan", cause) or ("cancel",)."""
        self._sent += 1
        assert self._process.stdin is not None
        with suppress(OSError):  # it has died: its end is told by `said`
            send(self._process.stdin, command)

    def rests(self, heard: int) -> bool:
        """Whether it has nothing to do, when it says so having heard so many commands."""
        return heard == self._sent

    def death(self) -> ChildProcessError:
        """How it ended, once it says no more."""
        with suppress(NotYet):
            return ChildProcessError(
                f"the process that indexed died ({how_it_ended(self._process.wait(STOP_SECONDS))})"
            )
        return ChildProcessError("the process that indexed says no more")

    def close(self) -> None:
        """Let it end after the batch that it is at. What it wrote to stderr is in the log afterwards."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(NotYet):
            self._process.wait(STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe, suppress(EOFError, OSError, ValueError, TypeError):
            while True:
                self._said(receive(pipe))
        self._said(None)

    def _pass_on(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            for line in iter(lambda: pipe.readline(_LINE), b""):
                logger.warning("The process that indexes: %s", line.decode(errors="replace").rstrip())


def report_of(told: dict[str, Any]) -> IndexReport:
    """A report as `_plain` gave it."""
    return IndexReport(**{**told, "skipped": tuple(Skip(**skip) for skip in told["skipped"])})


# -- in the process -------------------------------------------------------------------------------------------------


def main() -> None:
    answers = own_stdout()
    faulthandler.enable()  # where it was when a library crashed
    behave(_NICENESS)
    root, chosen = receive(sys.stdin.buffer)
    _serve(Path(root), Settings(**chosen), answers)
    os._exit(0)  # what is stored is stored: nobody waits for a thread that is still at work


def _serve(root: Path, settings: Settings, answers: Any) -> None:
    from c2llm_lsp.session.session import Session, opened

    heard = 0
    telling = threading.Lock()

    def tell(*message: Any) -> None:
        with telling, suppress(OSError):  # nobody listens any more: stdin ends too
            send(answers, message)

    try:
        workspace = opened(root, settings)
    except Exception as error:
        if not isinstance(error, C2llmError | OSError):
            logger.exception("%s cannot be opened", root)
        tell("failed", sentence(error))
        return
    session = Session(
        workspace, lambda event: tell(*_plain(event)), settle_after=0.0, on_rest=lambda: tell("rest", heard)
    )
    session.start()
    with suppress(EOFError, ValueError):
        while True:
            command, *rest = receive(sys.stdin.buffer)
            with session.lock:  # it must not say that it rests in between
                heard += 1
                getattr(session, command)(*rest)
    session.stop(STOP_SECONDS)  # an encoder that hangs must not keep this process
    workspace.close()


def _plain(event: Event) -> tuple[Any, ...]:
    if event.kind == "progress":
        return "progress", event.stage, event.done, event.total
    if event.kind == "failed":
        return "failed", sentence(event.error or OSError())
    assert event.report is not None
    return event.kind, event.job.paths, event.job.cause, dataclasses.asdict(event.report)
