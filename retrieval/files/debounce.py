"""Many events as few batches: a batch is due after a moment of quiet, or when it has waited long enough.

No threads and no clock of its own, so that every case of timing is a plain test.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PATHS = 2_000  # more than that in one batch, and looking at the whole tree is cheaper than at each path
MAX_EVENTS = 8_000  # the kernel's queue holds 16,384 by default: near it, events may have been lost


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened under the root. With `rescan` a scan is due: the paths alone do not tell all."""

    paths: tuple[str, ...] = ()  # files that were created, changed, moved or deleted, sorted, relative to the root
    rescan: bool = False
    reason: str = ""  # why a rescan is due, in a few words

    def __bool__(self) -> bool:
        return bool(self.paths) or self.rescan


class Batch:
    """Collects events until they are due. Times are seconds of any monotonic clock."""

    def __init__(self, *, quiet: float, longest: float) -> None:
        self.quiet, self.longest = quiet, longest
        self._paths: set[str] = set()
        self._reason = ""
        self._events = 0
        self._first: float | None = None
        self._last = 0.0

    def add(self, now: float, *paths: str) -> None:
        """An event about files."""
        self._tick(now)
        if len(self._paths) <= MAX_PATHS:
            self._paths.update(paths)

    def add_rescan(self, now: float, reason: str) -> None:
        """An event after which only a scan knows what is there."""
        self._tick(now)
        self._reason = self._reason or reason

    def add_noise(self) -> None:
        """An event of no interest. It delays nothing, but a flood of them can have pushed others out."""
        self._events += 1

    def due(self) -> float | None:
        """When the batch should be taken; None while there is nothing."""
        if self._first is None:
            return None
        return min(self._last + self.quiet, self._first + self.longest)

    def take(self) -> Changes:
        """Everything so far, and start anew."""
        reason = self._reason
        if not reason and len(self._paths) > MAX_PATHS:
            reason = "many files changed at once"
        if not reason and self._events > MAX_EVENTS:
            reason = "events may have been lost"
        changes = Changes(tuple(sorted(self._paths)) if len(self._paths) <= MAX_PATHS else (), bool(reason), reason)
        self._paths, self._reason, self._events, self._first = set(), "", 0, None
        return changes

    def _tick(self, now: float) -> None:
        self._events += 1
        self._last = now
        if self._first is None:
            self._first = now
