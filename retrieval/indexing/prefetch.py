"""Embedding begins while files are still being read.

Cutting files and splitting words keeps one core busy, under the interpreter's lock; the encoder computes outside that
lock. On two cores the pair takes two thirds of the time that one after the other would. Words still come first: only
whole batches of what is stored already are embedded, and what is left is embedded when the words are done.

Vectors go to their own database on a connection of their own, so that the two do not wait for each other. They are
announced to other processes by the commits of the words, and at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from retrieval.errors import C2llmError, CancelledError
from retrieval.indexing.embedding import BatchSizer, EmbeddingContext, EmbeddingStats, embed, next_batch

# A change number that no commit has: the live index takes the rows, and goes on following the words' commits.
_UNANNOUNCED = -1


class BackgroundEmbedder:
    """A thread that embeds what is stored, from the id `after` on, until it is told to finish."""

    def __init__(self, prepare: Callable[[], tuple[EmbeddingContext, int]]) -> None:
        """`prepare` gives what to work with and the id to begin after; it runs in the thread, since it may load a
        model.
        """
        self._prepare = prepare
        self._wake = threading.Condition()
        self._news = self._finishing = False
        self._error: C2llmError | None = None
        self._after: int | None = None
        self._done = EmbeddingStats()
        self._thread = threading.Thread(target=self._run, name="c2llm-embed-ahead", daemon=True)

    def tell(self) -> None:
        """Something was stored."""
        with self._wake:
            if self._thread.ident is None:
                self._thread.start()
            self._news = True
            self._wake.notify()

    def finish(self) -> tuple[EmbeddingStats, int | None]:
        """Stop after the current batch. What was done, and the id up to which everything has a vector (None: not
        begun).

        Raises what the encoder or the store raised.
        """
        with self._wake:
            self._finishing = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._done, self._after

    def _run(self) -> None:
        try:
            work, after = self._prepare()
            sizer = BatchSizer()
            while not work.cancel.is_set():
                wanted = sizer.begin()
                batch = next_batch(work, wanted, after, lambda: _UNANNOUNCED)
                if len(batch) < wanted:
                    if not self._wait():
                        break
                    continue
                ids, matrix = embed(work, batch, self._done)
                sizer.end()
                self._after = after = batch[-1].id
                work.on_vectors(_UNANNOUNCED, work.encoder.fingerprint, ids, matrix)
                with self._wake:
                    if self._finishing:
                        break
        except CancelledError:
            pass  # the second stage sees the same cancel
        except C2llmError as error:
            self._error = error

    def _wait(self) -> bool:
        """Wait for more to be stored; False where there will not be more."""
        with self._wake:
            self._wake.wait_for(lambda: self._news or self._finishing)
            self._news = False
            return not self._finishing
