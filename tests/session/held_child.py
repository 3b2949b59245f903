"""An index process that a test holds at a stage: it stores one file a batch and, after ten, waits for a cancel."""

from __future__ import annotations

import threading

from c2llm_lsp.session.events import Event, Progress
from c2llm_lsp.session.index_process import child, messages
from c2llm_lsp.session.session import Session
from retrieval.indexing import index_files
from tests.patience import PATIENCE

HELD_AT = 10
PROGRAM = "import c2llm_lsp.session.index_process.child; from tests.session.held_child import main; main()"

_cancelled = threading.Event()


def main() -> None:
    index_files.BATCH_CHUNKS = 1
    index_files.POOL_FROM = 1_000_000  # workers would have chunked files ahead, which are stored even so
    send_event, obey = child.Reporter.send_event, child.obey

    def send_and_wait(self: child.Reporter, event: Event) -> None:
        send_event(self, event)
        if isinstance(event, Progress) and event.stage == "words" and event.done == HELD_AT:
            _cancelled.wait(PATIENCE)

    def obey_and_release(session: Session, command: messages.Command) -> None:
        obey(session, command)
        if isinstance(command, messages.Cancel):
            _cancelled.set()

    child.Reporter.send_event, child.obey = send_and_wait, obey_and_release  # type: ignore[method-assign]
    child.main()
