"""An encoder that stands in for a remote one: it becomes unreachable, comes back, changes its model, and hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from retrieval.encoders import OverlapEncoder, Vectors
from retrieval.errors import CancelledError, EncoderUnreachableError
from tests.engine.indexed import CountingEncoder


class RemoteStandIn(CountingEncoder):
    """Behaves like the remote encoder, without a network."""

    def __init__(self, model: str = "one") -> None:
        super().__init__()
        self.model = model
        self.down = self.outdated = False
        self.hangs = threading.Event()
        self.never = threading.Event()

    @property
    def fingerprint(self) -> str:
        return self.model

    @property
    def available(self) -> bool:
        return not self.down

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self._reach()
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self._reach()
        return super().encode_passages(texts)

    def encode_passages_until(self, texts: Sequence[str], stop: Callable[[], bool]) -> Vectors:
        while self.hangs.is_set():
            if stop():
                raise CancelledError("Embedding was given up.")
            self.never.wait(0.005)  # as the client does between two tries
        return self.encode_passages(texts)

    def _reach(self) -> None:
        if self.down:
            raise EncoderUnreachableError("The server is down, as the test wants it.")


class WiderModel(RemoteStandIn):
    """Another model: of another dimension."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._vectors = OverlapEncoder(384)

    @property
    def dimension(self) -> int:
        return 384

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages.extend(texts)
        return self._vectors.encode_passages(texts)
