"""Answers what is typed, on one thread: the newest text counts, and an older search that is still going on is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from c2llm_lsp.query_text import parse
from retrieval.engine import Workspace
from retrieval.errors import CancelledError
from retrieval.types import Answer, SearchRequest

OnAnswer = Callable[[str, "Answer | Exception | None"], None]


class Searcher:
    """Started once, stopped once. `folder` is where in the workspace the user is.

    `on_answer` is called on its thread; None is the answer to no words.
    """

    def __init__(self, workspace: Workspace, limit: int, on_answer: OnAnswer, folder: str | None = "") -> None:
        self._workspace, self._limit, self._on_answer, self._folder = workspace, limit, on_answer, folder
        self._wake = threading.Condition()
        self._typed: str | None = None
        self._cancel = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="c2llm-picker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after the search that is going on, which is cancelled."""
        with self._wake:
            self._stopping = True
            self._cancel.set()
            self._wake.notify()
        self._thread.join()

    def search(self, typed: str) -> None:
        with self._wake:
            self._typed = typed
            self._cancel.set()
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or self._typed is not None)
                if self._stopping:
                    return
                typed, self._typed = self._typed or "", None
                self._cancel = cancel = threading.Event()
            with suppress(CancelledError):
                self._on_answer(typed, self._answer(typed, cancel))

    def _answer(self, typed: str, cancel: threading.Event) -> Answer | Exception | None:
        words = parse(typed)
        if not words.query:
            return None
        filters = replace(words.filters, scope=replace(words.filters.scope, folder=self._folder))
        request = SearchRequest(words.query, filters, self._limit, highlight=True)
        try:
            return self._workspace.search(request, cancel=cancel)
        except CancelledError:
            raise
        except Exception as error:  # shown in the box: the next letter may mend it
            return error
