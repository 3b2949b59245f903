"""Unsaved text of open buffers, searched in place of their files. Nothing of it is written to disk."""

from __future__ import annotations

from contextlib import suppress

from retrieval.encoders import is_low_latency
from retrieval.engine.context import EngineContext
from retrieval.errors import EncoderError, EncoderUnreachableError, ModelError
from retrieval.files import mask_tokens


class OpenBuffers:
    """Puts buffers into the overlay, with vectors where the encoder is available. Any thread."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def set_buffer(self, path: str, text: str, *, if_unchanged: bool = False) -> int:
        """Show this text in place of the file; returns how many chunks were embedded. Where the encoder fails, the
        buffer is found by its words. With `if_unchanged` nothing is done where the buffer has another text by now.
        """
        context, overlay, text = self._context, self._context.overlay, mask_tokens(text)
        context.store.full_text.keep_in_memory()
        try:
            encoder = context.encoder
            if not is_low_latency(encoder):  # words are found while it is embedded
                overlay.set_buffer(context.store, None, path, text, if_unchanged=if_unchanged)
            return overlay.set_buffer(context.store, encoder, path, text, if_unchanged=if_unchanged)
        except (EncoderError, ModelError) as error:
            if isinstance(error, EncoderUnreachableError):
                context.listener.encoder_unreachable()
            return overlay.set_buffer(context.store, None, path, text, if_unchanged=if_unchanged)

    def prefetch_buffer(self, path: str, text: str) -> None:
        """Chunk a text that `set_buffer` is likely to get next; searches do not see it before."""
        self._context.overlay.prefetch_buffer(path, mask_tokens(text))

    def close_buffer(self, path: str) -> None:
        """Show the file again."""
        context = self._context
        try:
            context.overlay.close_buffer(context.store, context.encoder, path)
        except (EncoderError, ModelError) as error:
            if isinstance(error, EncoderUnreachableError):
                context.listener.encoder_unreachable()
            context.overlay.close_buffer(context.store, None, path)

    def refresh(self) -> None:
        """After an indexing run: apply changed ignore rules, and embed the buffers that the encoder failed for."""
        with suppress(ModelError):
            self._context.overlay.set_encoder(self._context.encoder.fingerprint)
        overlay = self._context.overlay
        for path, text in (*overlay.recheck_ignored(), *overlay.unembedded()):
            self.set_buffer(path, text, if_unchanged=True)  # it may have been edited or closed meanwhile
