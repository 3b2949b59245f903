"""Watches a workspace and reports changes in batches.

Choices: one native recursive watch (watchdog). Event handlers only collect paths; ignore rules are applied when a batch
is taken, once per folder instead of once per event. Any event on a directory triggers a rescan, because its files may
have appeared before the watch or disappeared without an event each; a rescan of an unchanged tree takes milliseconds.
While git holds `.git/index.lock` and files keep changing, a batch waits, so that a branch switch is one batch; the
listener is told that changes are held back. Git also holds the lock while an editor is open for a commit message, and after a
crash: then nothing changes any more, and the batch is reported. Where the system has no watches
left, at the start or for a folder created later, the watcher falls back to polling and reports that once. Callbacks run
on the watcher's own thread, one at a time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.files.debounce import ChangeBatch, Debouncer
from retrieval.files.default_excludes import MARKER_ENTRIES, is_manifest
from retrieval.files.file_reader import FileStamp
from retrieval.files.ignore import IGNORE_FILES
from retrieval.files.scanner import Scanner
from retrieval.files.watch_limits import require_watches

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

QUIET_SECONDS = 0.15  # editors save by writing, renaming and deleting: over in a few tens of milliseconds
MAX_DELAY_SECONDS = 2.0  # upper bound on the delay while a build keeps writing
GIT_LOCK_SECONDS = 15.0  # maximum wait for git
GIT_QUIET_SECONDS = 1.0  # without a change: git holds its lock and writes nothing
POLL_SECONDS = 3.0
STOP_SECONDS = 10.0
GIT_INDEX = ".git/index"

logger = logging.getLogger(__name__)

_HELD = ChangeBatch(reason="git is at work")


class NativeWatch(Protocol):
    """A running source of native events."""

    def stop(self) -> None: ...

    def join(self, timeout: float | None = None) -> None: ...


Events = Callable[["FileSystemEvent"], None]
WatchFactory = Callable[[Path, Events], NativeWatch]


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """Seconds."""

    quiet: float = QUIET_SECONDS  # without an event, then a batch is reported
    max_delay: float = MAX_DELAY_SECONDS
    poll_every: float = POLL_SECONDS


class Watcher:
    """Calls `on_changes` with each batch between `start` and `stop`. Used once."""

    def __init__(
        self,
        root: Path,
        scanner: Scanner,
        on_changes: Callable[[ChangeBatch], None],
        *,
        timing: WatchTiming = WatchTiming(),
        watch: WatchFactory | None = None,
        on_hold: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`on_hold` is told when changes are held back because git is at work, and when that is over."""
        self.root = Path(os.path.realpath(root))
        self._scanner, self._on_changes, self._on_hold = scanner, on_changes, on_hold
        self._held_since: float | None = None
        self._poll_every = timing.poll_every
        self._watch_factory = watch or native_watch
        self._watch: NativeWatch | None = None
        self._debouncer = Debouncer(quiet=timing.quiet, max_delay=timing.max_delay)
        self._condition = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.notes: tuple[str, ...] = ()
        self.mode = ""  # "native" or "polling" once started

    def start(self) -> None:
        """Start watching. Earlier changes are not reported: scan after this returns."""
        if self._thread is not None:
            raise RuntimeError("a watcher can be started only once")
        try:
            self._watch = self._watch_factory(self.root, self._on_event)
            self.mode, target = "native", self._deliver
        except (OSError, ImportError) as error:
            self._switch_to_polling(error)
            target = self._poll
        self._thread = threading.Thread(target=target, name="c2llm-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; no callback runs after this returns (unless called from the callback itself)."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._end_watch()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_SECONDS)

    def _end_watch(self) -> None:
        with self._condition:
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
            watch.join(STOP_SECONDS)

    def _switch_to_polling(self, error: Exception) -> None:
        self.mode = "polling"
        self.notes = (
            f"File system events are unavailable here ({error}); polling for changes every {self._poll_every:g} s. "
            "On Linux, raise fs.inotify.max_user_watches to get them back.",
        )
        logger.warning(self.notes[0])

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _on_event(self, event: FileSystemEvent) -> None:
        """Record one native event; called on any thread."""
        paths = [path for raw in (event.src_path, event.dest_path) if (path := self._relative(raw)) is not None]
        if not paths:
            return
        now = time.monotonic()
        with self._condition:
            for path in paths:
                self._record(now, event, path)
            self._condition.notify_all()

    def _record(self, now: float, event: FileSystemEvent, path: str) -> None:
        name = path.rpartition("/")[2]
        if path == ".git/info/exclude" or name in IGNORE_FILES:
            self._debouncer.add_rescan(now, "ignore rules changed")
        elif path == GIT_INDEX:
            self._debouncer.add(now, path)
        elif path == ".git" or path.startswith(".git/") or "/.git/" in path:
            self._debouncer.add_unrelated()
        elif event.is_directory:
            if event.event_type != "modified":  # a directory is "modified" with each file in it
                self._debouncer.add(now, path + "/")
        else:
            self._debouncer.add(now, path)
            if event.event_type != "modified" and (name in MARKER_ENTRIES or is_manifest(name)):
                self._debouncer.add_rescan(now, "default excludes may apply elsewhere")

    def _relative(self, raw: str | bytes) -> str | None:
        path = os.fsdecode(raw)
        prefix = f"{self.root}{os.sep}"
        if not path.startswith(prefix):
            return None
        return path[len(prefix) :].replace(os.sep, "/")

    def _deliver(self) -> None:
        """The watcher's thread: wait until a batch is due, apply the ignore rules, report it."""
        while (changes := self._next_batch()) is not None:
            if changes is _HELD:
                self._on_hold(True)
                continue
            report = self._apply_rules(changes)
            if any(path.endswith("/") for path in changes.paths) and not self._watches_all():
                self._end_hold()
                self._poll(ChangeBatch(report.paths, True, "not every folder can be watched"))
                return
            if report:
                self._report(report)
            self._end_hold()

    def _end_hold(self) -> None:
        if self._held_since is not None:
            self._held_since = None
            self._on_hold(False)

    def _watches_all(self) -> bool:
        """Whether a new folder could be watched too; if not, stop the native watch."""
        try:
            require_watches(self.root)
        except OSError as error:
            self._switch_to_polling(error)
            self._end_watch()
            return False
        return True

    def _next_batch(self) -> ChangeBatch | None:
        """The next batch; before one that has to wait for git, once, `_HELD`. None at the end."""
        with self._condition:
            while not self._stopping:
                due, now = self._debouncer.due(), time.monotonic()
                if due is None:
                    self._condition.wait()
                elif due > now:
                    self._condition.wait(due - now)
                elif self.git_is_busy() and now < self._debouncer.last + GIT_QUIET_SECONDS:
                    if self._held_since is None:
                        self._held_since = now
                        return _HELD
                    if now >= self._held_since + GIT_LOCK_SECONDS:
                        return self._debouncer.take()
                    self._condition.wait(self._debouncer.quiet)
                else:
                    return self._debouncer.take()
        return None

    def git_is_busy(self) -> bool:
        return (self.root / ".git" / "index.lock").exists()

    def _apply_rules(self, changes: ChangeBatch) -> ChangeBatch:
        """Drop ignored paths; a directory that remains triggers a rescan."""
        path_filter = self._scanner.path_filter()
        kept: list[str] = []
        reason = changes.reason
        if GIT_INDEX in changes.paths and self._scanner.tracked_changed():
            reason = reason or "git tracks other files"
        for path in changes.paths:
            if path.endswith("/"):
                if not path_filter.ignores(path[:-1], True):
                    reason = reason or "directories changed"
            elif not path_filter.ignores(path):
                kept.append(path)
        return ChangeBatch(tuple(kept), bool(reason), reason)

    def _poll(self, first: ChangeBatch | None = None) -> None:
        """The watcher's thread without native events. `first` is reported after the first scan, so that no change is lost
        in between.
        """
        stamps = self._scan({})
        if first is not None:
            self._report(first)
        while not self._wait(self._poll_every):
            before, stamps = stamps, self._scan(stamps)
            paths = [path for path, stamp in stamps.items() if before.get(path) != stamp]
            paths += [path for path in before if path not in stamps]
            if paths:
                self._report(ChangeBatch(tuple(sorted(paths))))

    def _scan(self, stamps: dict[str, FileStamp]) -> dict[str, FileStamp]:
        try:
            return self._scanner.scan(stamps).stamps
        except OSError:
            return stamps

    def _wait(self, seconds: float) -> bool:
        """Wait; return whether the watcher is stopping."""
        with self._condition:
            return self._condition.wait_for(lambda: self._stopping, seconds)

    def _report(self, changes: ChangeBatch) -> None:
        try:
            self._on_changes(changes)
        except Exception:  # an error in the listener must not end the watcher
            logger.exception("file change listener failed")


def native_watch(root: Path, events: Events) -> NativeWatch:
    """Native file events. Raises OSError when the system has no watches left."""
    from watchdog.events import (
        DirCreatedEvent,
        DirDeletedEvent,
        DirMovedEvent,
        FileCreatedEvent,
        FileDeletedEvent,
        FileModifiedEvent,
        FileMovedEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer

    # A folder that is made in a new folder is met twice, in the walk of that and by its own event: the library says that of itself.
    warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            events(event)

    event_types: list[Any] = [
        FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent,
        DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
    ]  # fmt: skip
    observer = Observer()
    # Open and close events are filtered out at the source: indexing opens every file.
    observer.schedule(Handler(), str(root), recursive=True, event_filter=event_types)
    observer.start()
    try:
        require_watches(root)
    except OSError:
        observer.stop()
        observer.join(STOP_SECONDS)
        raise
    return observer
