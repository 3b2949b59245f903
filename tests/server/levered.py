"""`c2llm` with an encoder that tests hold up and break: `python -m tests.server.levered LEVERS serve`.

LEVERS is a folder. While it holds a file of that name, `hold` keeps the encoder from answering and `fail`, `crash` and
`unloadable` make it raise. Each batch of passages adds a line to `batches`: how many, and their first words.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import retrieval.encoders
import retrieval.engine.encoder_selection
import retrieval.indexing.embedding
from retrieval.encoders import Encoder, OverlapEncoder
from retrieval.encoders.base import Vectors
from retrieval.errors import EncoderError, ModelError

POLL = 0.005
BATCH = 16  # passages, so that small folders have several batches


class Levered(OverlapEncoder):
    def __init__(self, levers: Path) -> None:
        super().__init__()
        self._levers = levers

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self._obey("queries")
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        with (self._levers / "batches").open("a") as log:
            log.write(f"{len(texts)} {' '.join(texts[0].split())[:60]}\n")
        self._obey("passages")
        return super().encode_passages(texts)

    def _obey(self, what: str) -> None:
        while (self._levers / "hold").exists() or (self._levers / f"hold-{what}").exists():
            time.sleep(POLL)
        if (self._levers / "slow").exists():
            time.sleep(0.05)
        if (self._levers / "fail").exists():
            raise EncoderError("The encoder broke, as the test wants it.")
        if (self._levers / "crash").exists():
            raise RuntimeError("a bug in the encoder")


def pull(levers: Path) -> None:
    """From here on every encoder of this process obeys, and of those that index for it."""

    def load(name: str = "embedded", **_: object) -> Encoder:
        if (levers / "unloadable").exists():
            raise ModelError("The model is broken, as the test wants it.")
        return Levered(levers)

    retrieval.indexing.embedding.BATCH = BATCH
    retrieval.encoders.load = load
    retrieval.engine.encoder_selection.load = load
    import c2llm_lsp.session.index_process

    c2llm_lsp.session.index_process._BOOT = (
        "import pathlib; "
        f"from tests.server.levered import pull; pull(pathlib.Path({str(levers)!r})); "
        "from c2llm_lsp.session.index_process import main; main()"
    )


def main() -> None:
    pull(Path(sys.argv.pop(1)))
    from c2llm_lsp.cli import main as c2llm

    c2llm()


if __name__ == "__main__":
    main()
