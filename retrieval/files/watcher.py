"""Watches a workspace and reports what changed in batches.

Choices: one native recursive watch (watchdog). Events only collect paths; ignore rules are asked when a batch is
taken, once a folder and not once an event. Whatever happens to a directory makes a rescan due, because its files may
have come before the watch or have gone without a word each; a rescan of an unchanged tree costs milliseconds. While
git works (`.git/index.lock` exists) a batch waits, so that a branch switch is one batch. Where the system gives no more
watches, at the start or for a folder that comes later, scans at intervals take over, with one note. Callbacks come
from the watcher's own thread, one at a time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.files.debounce import Batch, Changes
from retrieval.files.default_excludes import MARKER_ENTRIES, is_manifest
from retrieval.files.file_reader import FileStamp
from retrieval.files.ignore import IGNORE_FILES
from retrieval.files.scanner import Scanner
from retrieval.files.watch_limits import require_watches

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

QUIET_SECONDS = 0.15  # editors save by writing, renaming and deleting: over in a few tens of milliseconds
LONGEST_SECONDS = 2.0  # a build that never stops writing must not keep changes back
LOCKED_SECONDS = 15.0  # for git to finish; a lock left behind by a crash must not block for ever
POLL_SECONDS = 3.0
STOP_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Watch(Protocol):
    """A running source of native events."""

    def stop(self) -> None: ...

    def join(self, timeout: float | None = None) -> None: ...


Events = Callable[["FileSystemEvent"], None]
WatchFactory = Callable[[Path, Events], Watch]


class Watcher:
    """Calls `on_changes` with each batch between `start` and `stop`. Used once."""

    def __init__(
        self,
        root: Path,
        scanner: Scanner,
        on_changes: Callable[[Changes], None],
        *,
        quiet: float = QUIET_SECONDS,
        longest: float = LONGEST_SECONDS,
        poll_every: float = POLL_SECONDS,
        watch: WatchFactory | None = None,
    ) -> None:
        self.root = Path(os.path.realpath(root))
        self._scanner, self._on_changes = scanner, on_changes
        self._poll_every = poll_every
        self._make_watch = watch or native_watch
        self._watch: Watch | None = None
        self._batch = Batch(quiet=quiet, longest=longest)
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.notes: tuple[str, ...] = ()
        self.mode = ""  # "native" or "polling" once started

    def start(self) -> None:
        """Begin to watch. What changed before is not reported: scan after this returns."""
        if self._thread is not None:
            raise RuntimeError("a watcher starts once")
        try:
            self._watch = self._make_watch(self.root, self._event)
            self.mode, work = "native", self._deliver
        except (OSError, ImportError) as error:
            self._note_polling(error)
            work = self._poll
        self._thread = threading.Thread(target=work, name="c2llm-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End watching; no callback comes after this returns (unless called from the callback itself)."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._end_watch()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_SECONDS)

    def _end_watch(self) -> None:
        with self._changed:
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
            watch.join(STOP_SECONDS)

    def _note_polling(self, error: Exception) -> None:
        self.mode = "polling"
        self.notes = (
            f"The system gives no file events here ({error}); looking for changes every {self._poll_every:g} s. "
            "On Linux, raising fs.inotify.max_user_watches brings them back.",
        )
        logger.warning(self.notes[0])

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _event(self, event: FileSystemEvent) -> None:
        """Any thread: take note of one native event."""
        paths = [path for raw in (event.src_path, event.dest_path) if (path := self._relative(raw)) is not None]
        if not paths:
            return
        now = time.monotonic()
        with self._changed:
            for path in paths:
                self._note(now, event, path)
            self._changed.notify_all()

    def _note(self, now: float, event: FileSystemEvent, path: str) -> None:
        name = path.rpartition("/")[2]
        if path == ".git/info/exclude" or name in IGNORE_FILES:
            self._batch.add_rescan(now, "ignore rules changed")
        elif path == ".git" or path.startswith(".git/") or "/.git/" in path:
            self._batch.add_noise()
        elif event.is_directory:
            if event.event_type != "modified":  # a directory is "modified" with each file in it
                self._batch.add(now, path + "/")
        else:
            self._batch.add(now, path)
            if event.event_type != "modified" and (name in MARKER_ENTRIES or is_manifest(name)):
                self._batch.add_rescan(now, "default excludes may apply elsewhere")

    def _relative(self, raw: str | bytes) -> str | None:
        path = os.fsdecode(raw)
        prefix = f"{self.root}{os.sep}"
        if not path.startswith(prefix):
            return None
        return path[len(prefix) :].replace(os.sep, "/")

    def _deliver(self) -> None:
        """The watcher's thread: wait until a batch is due, judge it, report it."""
        while (changes := self._next_batch()) is not None:
            report = self._judged(changes)
            if any(path.endswith("/") for path in changes.paths) and not self._watches_all():
                self._poll(Changes(report.paths, True, "not every folder can be watched"))
                return
            if report:
                self._report(report)

    def _watches_all(self) -> bool:
        """Whether a new folder could be watched as well; where not, the native watch ends."""
        try:
            require_watches(self.root)
        except OSError as error:
            self._note_polling(error)
            self._end_watch()
            return False
        return True

    def _next_batch(self) -> Changes | None:
        locked_since: float | None = None
        with self._changed:
            while not self._stopping:
                due, now = self._batch.due(), time.monotonic()
                if due is None:
                    self._changed.wait()
                elif due > now:
                    self._changed.wait(due - now)
                elif self._git_works() and now - (locked_since := locked_since or now) < LOCKED_SECONDS:
                    self._changed.wait(self._batch.quiet)
                else:
                    return self._batch.take()
        return None

    def _git_works(self) -> bool:
        return (self.root / ".git" / "index.lock").exists()

    def _judged(self, changes: Changes) -> Changes:
        """Without the paths that the rules leave out; a directory that stays makes a rescan due."""
        judge = self._scanner.judge()
        kept: list[str] = []
        reason = changes.reason
        for path in changes.paths:
            if path.endswith("/"):
                if not judge.ignores(path[:-1], True):
                    reason = reason or "directories changed"
            elif not judge.ignores(path):
                kept.append(path)
        return Changes(tuple(kept), bool(reason), reason)

    def _poll(self, first: Changes | None = None) -> None:
        """The watcher's thread where there are no native events. `first` is reported once there is something to
        compare with, so that nothing falls between.
        """
        known = self._scan({})
        if first is not None:
            self._report(first)
        while not self._wait(self._poll_every):
            before, known = known, self._scan(known)
            paths = [path for path, stamp in known.items() if before.get(path) != stamp]
            paths += [path for path in before if path not in known]
            if paths:
                self._report(Changes(tuple(sorted(paths))))

    def _scan(self, known: dict[str, FileStamp]) -> dict[str, FileStamp]:
        try:
            return self._scanner.scan(known).stamps
        except OSError:
            return known

    def _wait(self, seconds: float) -> bool:
        """Wait, unless it is time to stop; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, seconds)

    def _report(self, changes: Changes) -> None:
        try:
            self._on_changes(changes)
        except Exception:  # the watch must survive its listener
            logger.exception("a listener for file changes failed")


def native_watch(root: Path, events: Events) -> Watch:
    """The system's file events; OSError where it has no more to give."""
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

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            events(event)

    wanted: list[Any] = [
        FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent,
        DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
    ]  # fmt: skip
    observer = Observer()
    # Opening and closing are filtered out at the source: indexing opens every file.
    observer.schedule(Handler(), str(root), recursive=True, event_filter=wanted)
    observer.start()
    try:
        require_watches(root)
    except OSError:
        observer.stop()
        observer.join(STOP_SECONDS)
        raise
    return observer
