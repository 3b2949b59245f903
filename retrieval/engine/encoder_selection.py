"""The encoders of a workspace: the selected one, and the former one whose vectors answer until the new ones are complete."""

from __future__ import annotations

import threading
from collections.abc import Callable

from retrieval.encoders import Encoder, is_available, is_outdated, load, load_earlier
from retrieval.errors import EncoderError, ModelError


class EncoderSelection:
    """Each encoder is loaded at its first use, and once. Safe to use from many threads."""

    def __init__(
        self,
        encoder: Encoder | None,
        load_encoder: Callable[[], Encoder] | None,
        threads: int | None,
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_change` is called when a remote encoder was loaded again because it serves another model."""
        self._load = load_encoder or (lambda: encoder or load("embedded", threads=threads))
        self._threads = threads
        self._former: dict[str, Encoder] = {}  # by fingerprint
        self._loading = threading.Lock()
        self._on_change = on_change
        self.loaded = encoder  # the selected one, None until it is loaded

    @property
    def current(self) -> Encoder:
        """The selected encoder; loaded again when a remote one serves another model. Raises ModelError."""
        with self._loading:
            outdated = self.loaded is not None and is_outdated(self.loaded)
            if self.loaded is None or outdated:
                self.loaded = self._load()
            encoder = self.loaded
        if outdated:
            self._on_change()
        return encoder

    @property
    def available(self) -> bool:
        """Whether an encoder that could not be reached is available again. Does not block."""
        try:
            return is_available(self.current)
        except ModelError:
            return False

    def former(self, name: str, fingerprint: str) -> Encoder | None:
        """The encoder that was used before, if it can still be loaded and is unchanged."""
        with self._loading:
            encoder = self._former.get(fingerprint)
            if encoder is None:
                try:
                    encoder = load(name, threads=self._threads)
                    if encoder.fingerprint != fingerprint:
                        encoder = load_earlier(name, threads=self._threads)
                except (ModelError, EncoderError):
                    return None
                if encoder is None or encoder.fingerprint != fingerprint:
                    return None
                self._former[fingerprint] = encoder
            return encoder
