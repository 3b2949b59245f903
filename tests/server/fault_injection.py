"""`c2llm` with an encoder that tests hold up and break: `python -m tests.server.fault_injection FOLDER serve`.

FOLDER says what is wrong, with a file for each fault: while there is one of that name, `hold` keeps the encoder from
answering, `hold-queries` and `hold-passages` that of one kind, `hold-from` every batch of passages beyond the number in it,
`hold-events` the file events of the client, and `fail`, `crash` and `unloadable` make the encoder raise. An encoder that is
held hears no cancel, unless `heed-cancel` is there when it is loaded. Progress is shown
from the first step on, or after the seconds in `progress-after`, and the state at most once in the seconds in `status-every`:
nothing depends on how fast a machine is. Each batch of passages adds a line to `batches`: how many, and their first words.
A test that needs a job at some stage holds it there; it never races with it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from watchdog.events import FileSystemEvent

import retrieval.encoders
import retrieval.engine.encoder_selection
import retrieval.indexing.embedding
import retrieval.indexing.pipeline
from retrieval.encoders import Encoder, OverlapEncoder
from retrieval.encoders.protocol import Vectors
from retrieval.errors import CancelledError, EncoderError, ModelError

POLL = 0.005  # seconds; the one that holds is another process
BATCH = 16  # passages, so that small folders have several batches
STOP_SECONDS = 0.5  # that an index process is given to end while its encoder hangs


class FaultyEncoder(OverlapEncoder):
    def __init__(self, faults: Path) -> None:
        super().__init__()
        self._faults = faults

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self._obey("queries")
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode_passages(texts, lambda: False)

    def _encode_passages(self, texts: Sequence[str], stopped: Callable[[], bool]) -> Vectors:
        log = self._faults / "batches"
        with log.open("a") as file:
            file.write(f"{len(texts)} {' '.join(texts[0].split())[:60]}\n")
        while len(log.read_text().splitlines()) > self._allowed():
            if stopped():
                raise CancelledError
            time.sleep(POLL)
        self._obey("passages")
        return super().encode_passages(texts)

    def _allowed(self) -> float:
        """How many batches are let through."""
        try:
            return float((self._faults / "hold-from").read_text() or "inf")
        except FileNotFoundError:
            return float("inf")

    def _obey(self, what: str) -> None:
        while (self._faults / "hold").exists() or (self._faults / f"hold-{what}").exists():
            time.sleep(POLL)
        if (self._faults / "fail").exists():
            raise EncoderError("The encoder broke, as the test wants it.")
        if (self._faults / "crash").exists():
            raise RuntimeError("a bug in the encoder")


class HeedingEncoder(FaultyEncoder):
    """One that looks at the cancel while it is held, as an encoder does that waits for a server."""

    def encode_passages_until(self, texts: Sequence[str], stopped: Callable[[], bool]) -> Vectors:
        return self._encode_passages(texts, stopped)


def inject(faults: Path) -> None:
    """From here on every encoder of this process obeys, and of those that index for it."""

    def load(name: str = "embedded", **_: object) -> Encoder:
        if (faults / "unloadable").exists():
            raise ModelError("The model is broken, as the test wants it.")
        return HeedingEncoder(faults) if (faults / "heed-cancel").exists() else FaultyEncoder(faults)

    retrieval.indexing.embedding.BATCH = BATCH
    retrieval.indexing.pipeline.AHEAD_FROM = 10**9  # so that a batch is held in the stage that embeds, and in no other
    retrieval.encoders.load = load
    retrieval.engine.encoder_selection.load = load
    from c2llm_lsp.session.index_process import parent

    parent.STOP_SECONDS = STOP_SECONDS
    parent.PROGRAM = (
        "import pathlib; "
        f"from tests.server.fault_injection import inject; inject(pathlib.Path({str(faults)!r})); "
        "from c2llm_lsp.session.index_process.child import main; main()"
    )


def _seconds(file: Path, default: float) -> float:
    return float(file.read_text()) if file.exists() else default


def _hold_events(held: Path) -> None:
    from c2llm_lsp.server.folders import Folder

    real = Folder.client_event

    def client_event(folder: Folder, event: FileSystemEvent) -> None:
        while held.exists():
            time.sleep(POLL)
        real(folder, event)

    Folder.client_event = client_event  # type: ignore[method-assign]


def main() -> None:
    faults = Path(sys.argv.pop(1))
    inject(faults)
    from c2llm_lsp.cli import main as c2llm
    from c2llm_lsp.server import progress_bar, status_notifier

    progress_bar.BEGIN_AFTER, progress_bar.REPORT_EVERY = _seconds(faults / "progress-after", 0.0), 0.0
    status_notifier.STATUS_EVERY = _seconds(faults / "status-every", status_notifier.STATUS_EVERY)
    _hold_events(faults / "hold-events")

    c2llm()


if __name__ == "__main__":
    main()
