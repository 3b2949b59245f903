"""Calls something for a key after a moment of quiet, and something else ahead of it. Belongs to the thread of its loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

AHEAD = 0.5  # of the delay, after which `ahead` is called
MIN_AHEAD = 0.02  # seconds ahead: less gains nothing
MAX_DELAYS = 10  # delays: who never stops typing still finds what was typed before


class Debounce:
    """`run` is called once for a burst of changes, at most `MAX_DELAYS` delays after the first of them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, run: Callable[[str], None], ahead: Callable[[str], None], delay: float
    ) -> None:
        self.delay = delay
        self._loop = loop
        self._run, self._ahead = run, ahead
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ahead_timers: dict[str, asyncio.TimerHandle] = {}
        self._first_change: dict[str, float] = {}

    def changed(self, key: str, *, at_once: bool = False, ahead: bool = True) -> None:
        """A key has changed; `ahead` is whether it is worth to call ahead for it."""
        now = time.monotonic()
        left = self._first_change.setdefault(key, now) + MAX_DELAYS * self.delay - now
        self._cancel_timers(key)
        wait = 0.0 if at_once else max(0.0, min(self.delay, left))
        self._timers[key] = self._loop.call_later(wait, self._fire, key)
        if ahead and wait * AHEAD > MIN_AHEAD:
            self._ahead_timers[key] = self._loop.call_later(wait * AHEAD, self._fire_ahead, key)

    def cancel(self, key: str) -> None:
        self._first_change.pop(key, None)
        self._cancel_timers(key)

    def flush(self) -> None:
        """Run for every key that waits."""
        for key in tuple(self._timers):
            self._cancel_timers(key)
            self._fire(key)

    def stop(self) -> None:
        for timer in (*self._timers.values(), *self._ahead_timers.values()):
            timer.cancel()

    def _fire(self, key: str) -> None:
        self._timers.pop(key, None)
        self._first_change.pop(key, None)
        self._run(key)

    def _fire_ahead(self, key: str) -> None:
        self._ahead_timers.pop(key, None)
        self._ahead(key)

    def _cancel_timers(self, key: str) -> None:
        for timers in (self._timers, self._ahead_timers):
            if timer := timers.pop(key, None):
                timer.cancel()
