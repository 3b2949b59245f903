"""What a conversation has been shown already: a result whose code stands further up is named, and its code is not sent again.

A conversation is what one client says over standard input, or in one session over HTTP; a client that has no session has
no memory here either.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from retrieval.types import Hit

MAX_CONVERSATIONS = 64
MAX_RESULTS = 500  # of one conversation: older ones may have left the client's context

_Key = tuple[str, str, int, int, int]


class ShownResults:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conversations: OrderedDict[str, OrderedDict[_Key, None]] = OrderedDict()

    def show(self, conversation: str, root: Path, hit: Hit) -> bool:
        """Remember that a result is shown; whether it was before, with the same code."""
        if not conversation:
            return False
        key = (str(root), hit.chunk.path, hit.start_line, hit.end_line, hash(hit.text))
        with self._lock:
            results = self._conversations.setdefault(conversation, OrderedDict())
            self._conversations.move_to_end(conversation)
            if len(self._conversations) > MAX_CONVERSATIONS:
                self._conversations.popitem(last=False)
            was_shown = key in results
            results[key] = None
            results.move_to_end(key)
            if len(results) > MAX_RESULTS:
                results.popitem(last=False)
        return was_shown
