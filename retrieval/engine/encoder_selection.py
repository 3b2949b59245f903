"""The encoders of a workspace: the one that was asked for, and the one whose vectors answer until its own are complete."""

from __future__ import annotations

import threading
from collections.abc import Callable

from retrieval.encoders import Encoder, load
from retrieval.errors import EncoderError, ModelError


class Models:
    """Each is loaded at its first use, and once. Safe to use from many threads."""

    def __init__(
        self, encoder: Encoder | None, load_encoder: Callable[[], Encoder] | None, threads: int | None
    ) -> None:
        self._load = load_encoder or (lambda: encoder or load("embedded", threads=threads))
        self._threads = threads
        self._former: dict[str, Encoder] = {}  # by fingerprint
        self._loading = threading.Lock()
        self.on_other: Callable[[], None] = lambda: None  # called when it has become another one
        self.loaded = encoder  # the one that was asked for, as far as it is there

    @property
    def current(self) -> Encoder:
        """The one that was asked for; loaded again when what runs elsewhere has become another one. Raises ModelError."""
        with self._loading:
            outdated = getattr(self.loaded, "outdated", False)
            if self.loaded is None or outdated:
                self.loaded = self._load()
            encoder = self.loaded
        if outdated:
            self.on_other()
        return encoder

    @property
    def ready(self) -> bool:
        """Whether it can be had again, if it could not be reached. Waits for nobody."""
        try:
            return bool(getattr(self.current, "available", True))
        except ModelError:
            return False

    def former(self, name: str, fingerprint: str) -> Encoder | None:
        """The one that was used before, if it can still be had and is still the same."""
        with self._loading:
            known = self._former.get(fingerprint)
            if known is None:
                try:
                    known = load(name, threads=self._threads)
                except (ModelError, EncoderError):
                    return None
                if known.fingerprint != fingerprint:
                    return None
                self._former[fingerprint] = known
            return known
