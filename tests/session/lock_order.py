"""Records in which order threads take the locks of this program: which was taken while which was held.

A lock is named by the place that makes it ("session.py Session._wake"), so that all of one class count as one.
"""

from __future__ import annotations

import linecache
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

_SOURCES = tuple(str(Path(__file__).parents[2] / package) for package in ("c2llm_lsp", "retrieval"))
_Lock, _RLock = threading.Lock, threading.RLock


class LockOrder:
    """The edges of a graph: (held, taken)."""

    def __init__(self) -> None:
        self.edges: set[tuple[str, str]] = set()
        self._held = threading.local()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Locks that are made from here on, until the test ends, are recorded."""
        monkeypatch.setattr(threading, "Lock", lambda: self._make(_Lock))
        monkeypatch.setattr(threading, "RLock", lambda: self._make(_RLock))

    def _make(self, kind: Any) -> Any:
        frame = sys._getframe(2)
        while frame.f_code.co_filename == threading.__file__ and frame.f_back is not None:  # of a condition, an event
            frame = frame.f_back
        file = frame.f_code.co_filename
        line = linecache.getline(file, frame.f_lineno).strip()
        if not file.startswith(_SOURCES) or "Thread(" in line:  # a thread has locks of its own
            return kind()
        recorded = _RecordedReentrant if kind is _RLock else _Recorded
        return recorded(kind(), f"{Path(file).stem}.{line.split()[0].removeprefix('self.').rstrip(':')}", self)

    @property
    def held(self) -> list[str]:
        if not hasattr(self._held, "names"):
            self._held.names = []
        names: list[str] = self._held.names
        return names

    def taken(self, name: str) -> None:
        self.edges |= {(held, name) for held in self.held if held != name}
        self.held.append(name)

    def released(self, name: str) -> None:
        if name in self.held:
            self.held.remove(name)

    def cycle(self) -> list[str]:
        """Locks of which each is taken while the one before is held, the first behind the last; empty: there are none."""
        after: dict[str, set[str]] = {}
        for held, taken in self.edges:
            after.setdefault(held, set()).add(taken)

        def walk(path: list[str]) -> list[str]:
            for name in sorted(after.get(path[-1], ())):
                if name in path:
                    return [*path[path.index(name) :], name]
                if name not in done and (found := walk([*path, name])):
                    return found
            done.add(path[-1])
            return []

        done: set[str] = set()
        return next((found for name in sorted(after) if (found := walk([name]))), [])


class _Recorded:
    """A lock."""

    def __init__(self, lock: Any, name: str, order: LockOrder) -> None:
        self._lock, self._name, self._order = lock, name, order

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken = bool(self._lock.acquire(blocking, timeout))
        if taken:
            self._order.taken(self._name)
        return taken

    def release(self) -> None:
        self._order.released(self._name)
        self._lock.release()

    def locked(self) -> bool:
        return bool(self._lock.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _RecordedReentrant(_Recorded):
    """One with what a condition wants of it."""

    def _release_save(self) -> Any:
        self._order.released(self._name)
        return self._lock._release_save()

    def _acquire_restore(self, state: Any) -> None:
        self._lock._acquire_restore(state)
        self._order.taken(self._name)

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())
