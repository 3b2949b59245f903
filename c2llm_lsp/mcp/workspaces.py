"""The workspaces of one server: opened when first asked for, closed with their model after a while without a question.

A server has the workspaces that it was started with. One that was started outside every project takes those that the
client offers as its roots, asked for at every call, so that a change of them needs no notification.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from c2llm_lsp.mcp.live_workspace import IndexProgress, LiveWorkspace
from c2llm_lsp.mcp.shown_results import ShownResults
from retrieval.errors import C2llmError, QueryError

IDLE_SECONDS = 900.0  # then the model, the vectors and the index of a workspace leave the memory


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)  # guards all below
    live: LiveWorkspace | None = None
    users: int = 0
    timer: threading.Timer | None = None


class Workspaces:
    """Safe to use from any thread."""

    def __init__(
        self,
        roots: Sequence[Path],
        open_workspace: Callable[[Path], LiveWorkspace],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.roots = tuple(roots)
        self.shown = ShownResults()
        self._open, self._idle_seconds = open_workspace, idle_seconds
        self._lock = threading.Lock()  # guards the slots
        self._slots: dict[Path, _Slot] = {}
        self._closed = False

    def find(self, named: str, offered: Sequence[Path]) -> Path:
        """The root that is named by its path or its folder's name, or the only one. Raises QueryError."""
        roots = self.roots or tuple(offered)
        if not roots:
            raise QueryError("No project is open: start `c2llm mcp` in a project or with its PATH.")
        if not named and len(roots) == 1:
            return roots[0]
        chosen = [root for root in roots if named in (str(root), root.name)] if named else []
        if len(chosen) == 1:
            return chosen[0]
        paths = ", ".join(map(str, roots))
        raise QueryError(
            f"There is no workspace {named}: give one of {paths}." if named else f"Give workspace: {paths}."
        )

    @contextmanager
    def use(self, root: Path) -> Iterator[LiveWorkspace]:
        """The workspace at a root, open as long as the context."""
        with self._lock:
            slot = self._slots.setdefault(root, _Slot())
        with slot.lock:
            if slot.timer:
                slot.timer.cancel()
            if self._closed:
                raise QueryError("The server is about to end.")
            if slot.live is None:
                slot.live = self._open(root)
            slot.users += 1
        try:
            yield slot.live
        finally:
            with slot.lock:
                slot.users -= 1
                if not slot.users:
                    slot.timer = threading.Timer(self._idle_seconds, self._close_idle, (slot,))
                    slot.timer.daemon = True
                    slot.timer.start()

    def progress(self, root: Path) -> IndexProgress | None:
        slot = self._slots.get(root)
        return slot.live.progress if slot and slot.live else None

    def open_all(self) -> None:
        """Begin to open the workspaces of the start, which updates their indexes before somebody asks. What is wrong with one
        is told to whoever asks.
        """
        threading.Thread(target=self._open_all, name="c2llm-open", daemon=True).start()

    def _open_all(self) -> None:
        for root in self.roots:
            with suppress(C2llmError, OSError), self.use(root):
                pass

    def is_open(self, root: Path) -> bool:
        slot = self._slots.get(root)
        return bool(slot and slot.live)

    def close(self) -> None:
        self._closed = True
        for slot in self._slots.values():
            with slot.lock:
                if slot.timer:
                    slot.timer.cancel()
                if slot.live:
                    slot.live.close()
                slot.live = None

    def _close_idle(self, slot: _Slot) -> None:
        with slot.lock:
            if slot.users or slot.live is None:
                return
            slot.live.close()
            slot.live = None
        _release_memory()


def _release_memory() -> None:
    """Give freed memory back to the system; glibc keeps it otherwise (measured: 190 to 171 MB)."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # not glibc; on Windows there is no such library
        ctypes.CDLL(None).malloc_trim(0)
