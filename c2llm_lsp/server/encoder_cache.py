"""Encoders that are loaded once for all folders."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2llm_lsp.session.factories import load_encoder
from c2llm_lsp.settings import Settings
from retrieval.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from retrieval.encoders import Encoder

REACH_SECONDS = 1.0  # to wait for a remote encoder at first; then it is waited for in the background


class EncoderCache:
    """Any thread."""

    def __init__(self) -> None:
        self._encoders: dict[tuple[str, int, str, str], Encoder] = {}
        self._loading = threading.Lock()

    def load(self, settings: Settings) -> Encoder:
        """The encoder of these settings, loaded again when a remote one has changed. Raises ModelError."""
        from retrieval.encoders import is_outdated

        key = settings.encoder, settings.threads, settings.device, settings.dtype
        with self._loading:
            if key not in self._encoders or is_outdated(self._encoders[key]):
                try:
                    self._encoders[key] = load_encoder(settings, patience=REACH_SECONDS)
                except MissingExtraError as error:  # keyword search goes on, as with a model that is broken
                    raise ModelError(str(error)) from error
            return self._encoders[key]
