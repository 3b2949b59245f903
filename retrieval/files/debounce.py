"""Debounces file events: a batch is due after a quiet interval, or when it has waited for the maximum delay.

No threads and no clock of its own, so that timing can be tested without waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PATHS = 2_000  # above this, one scan of the tree is cheaper than checking each path
MAX_EVENTS = 8_000  # the kernel's queue holds 16,384 by default; close to that, events may have been lost


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Changes under the root. `rescan` requests a scan: the paths alone are incomplete."""

    paths: tuple[str, ...] = ()  # created, changed, moved or deleted files, sorted, relative to the root
    rescan: bool = False
    reason: str = ""  # why a rescan is needed, in a few words

    def __bool__(self) -> bool:
        return bool(self.paths) or self.rescan


class Debouncer:
    """Collects events until a batch is due. Times are seconds of any monotonic clock."""

    def __init__(self, *, quiet: float, max_delay: float) -> None:
        self.quiet, self.max_delay = quiet, max_delay
        self._paths: set[str] = set()
        self._reason = ""
        self._events = 0
        self._first: float | None = None
        self._last = 0.0

    def add(self, now: float, *paths: str) -> None:
        """Record an event for files."""
        self._tick(now)
        if len(self._paths) <= MAX_PATHS:
            self._paths.update(paths)

    def add_rescan(self, now: float, reason: str) -> None:
        """Record an event that requires a scan."""
        self._tick(now)
        self._reason = self._reason or reason

    def add_unrelated(self) -> None:
        """Count an event of no interest. It delays nothing, but a flood of them may have pushed other events out."""
        self._events += 1

    @property
    def last(self) -> float:
        """When the latest event was recorded."""
        return self._last

    def due(self) -> float | None:
        """When the batch is due; None while it is empty."""
        if self._first is None:
            return None
        return min(self._last + self.quiet, self._first + self.max_delay)

    def take(self) -> ChangeBatch:
        """Return everything collected so far and reset."""
        reason = self._reason
        if not reason and len(self._paths) > MAX_PATHS:
            reason = "many files changed at once"
        if not reason and self._events > MAX_EVENTS:
            reason = "events may have been lost"
        changes = ChangeBatch(tuple(sorted(self._paths)) if len(self._paths) <= MAX_PATHS else (), bool(reason), reason)
        self._paths, self._reason, self._events, self._first = set(), "", 0, None
        return changes

    def _tick(self, now: float) -> None:
        self._events += 1
        self._last = now
        if self._first is None:
            self._first = now
