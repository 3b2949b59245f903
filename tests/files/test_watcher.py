"""The watcher on a real file system; tests wait for its reports and never sleep."""

from __future__ import annotations

import errno
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.files import ChangeBatch, Scanner, Watcher, WatchTiming, watch_limits
from retrieval.files.debounce import MAX_PATHS
from tests.patience import PATIENCE


class Listener:
    """Records reports and lets a test wait for them."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.reasons: set[str] = set()
        self.batches = 0
        self._condition = threading.Condition()

    def __call__(self, changes: ChangeBatch) -> None:
        with self._condition:
            self.batches += 1
            self.paths |= set(changes.paths)
            self.reasons |= {changes.reason} - {""}
            self._condition.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._condition:
            assert self._condition.wait_for(condition, PATIENCE), (self.paths, self.reasons)

    def wait_for(self, *paths: str) -> None:
        self.wait(lambda: set(paths) <= self.paths)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "a.py").write_text("x")
    (tmp_path / "root" / "sub" / "b.py").write_text("x")
    (tmp_path / "root" / ".gitignore").write_text("*.log\n")
    return tmp_path / "root"


@pytest.fixture
def watcher(root: Path, listener: Listener) -> Iterator[Watcher]:
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(quiet=0.02, max_delay=0.5)) as running:
        assert running.mode == "native"
        yield running


@pytest.mark.usefixtures("watcher")
def test_edits_new_files_and_deletions_are_reported(root: Path, listener: Listener) -> None:
    (root / "a.py").write_text("y")
    (root / "sub" / "new.py").write_text("y")
    (root / "sub" / "b.py").unlink()
    listener.wait_for("a.py", "sub/new.py", "sub/b.py")
    assert not listener.reasons


@pytest.mark.usefixtures("watcher")
def test_a_moved_file_is_reported_under_both_paths(root: Path, listener: Listener) -> None:
    (root / "a.py").rename(root / "sub" / "c.py")
    listener.wait_for("a.py", "sub/c.py")


@pytest.mark.usefixtures("watcher")
def test_saving_by_rename_reports_the_file(root: Path, listener: Listener) -> None:
    (root / "a.py~").write_text("new")
    (root / "a.py~").replace(root / "a.py")
    listener.wait_for("a.py")


@pytest.mark.usefixtures("watcher")
def test_a_created_deleted_or_moved_directory_triggers_a_rescan(root: Path, listener: Listener) -> None:
    for act in (
        lambda: shutil.copytree(root / "sub", root / "copy"),  # its files may have been created before its watch
        lambda: (root / "copy").rename(root / "moved"),
        lambda: shutil.rmtree(root / "moved"),
    ):
        listener.reasons.clear()
        act()
        listener.wait(lambda: "directories changed" in listener.reasons)


@pytest.mark.usefixtures("watcher")
def test_a_file_in_a_new_directory_is_reported_afterwards(root: Path, listener: Listener) -> None:
    (root / "deep" / "er").mkdir(parents=True)
    listener.wait(lambda: "directories changed" in listener.reasons)
    (root / "deep" / "er" / "x.py").write_text("x")
    listener.wait_for("deep/er/x.py")


@pytest.mark.usefixtures("watcher")
def test_ignored_paths_are_never_reported(root: Path, listener: Listener) -> None:
    (root / "x.log").write_text("x")
    (root / ".env").write_text("x")
    (root / "node_modules" / "m").mkdir(parents=True)
    (root / "node_modules" / "m" / "i.js").write_text("x")
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("x")
    (root / "a.py").write_text("last")
    listener.wait_for("a.py")
    assert listener.paths == {"a.py"}
    assert not listener.reasons


@pytest.mark.usefixtures("watcher")
@pytest.mark.parametrize("name", [".gitignore", "sub/.gitignore", ".c2llmignore"])
def test_a_changed_ignore_file_triggers_a_rescan(name: str, root: Path, listener: Listener) -> None:
    (root / name).write_text("*.py\n")
    listener.wait(lambda: "ignore rules changed" in listener.reasons)


def test_a_rescan_follows_what_git_begins_to_track(root: Path, listener: Listener) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=root, check=True)

    git("init", "-q")
    (root / "a.log").write_text("x")
    scanner = Scanner(root)
    assert "a.log" not in scanner.scan().stamps
    with Watcher(root, scanner, listener, timing=WatchTiming(quiet=0.02, max_delay=0.5)):
        git("add", "-f", "a.log")
        listener.wait(lambda: "git tracks other files" in listener.reasons)
    assert "a.log" in scanner.scan().stamps


@pytest.mark.usefixtures("watcher")
def test_a_new_manifest_triggers_a_rescan(root: Path, listener: Listener) -> None:
    (root / "Cargo.toml").write_text("")
    listener.wait(lambda: "default excludes may apply elsewhere" in listener.reasons)


def test_thousands_of_files_that_come_while_a_batch_is_handled_are_one_batch(root: Path) -> None:
    handling, handled, counted = threading.Event(), threading.Event(), threading.Event()
    batches: list[ChangeBatch] = []
    arrived = threading.Condition()

    def handle(changes: ChangeBatch) -> None:
        if not handling.is_set():
            handling.set()
            assert handled.wait(PATIENCE)
        with arrived:
            batches.append(changes)
            arrived.notify_all()

    with Watcher(root, Scanner(root), handle, timing=WatchTiming(quiet=0.02, max_delay=0.5)) as watcher:
        (root / "first.py").write_text("x")
        assert handling.wait(PATIENCE)
        add = watcher._debouncer.add

        def add_and_count(now: float, *paths: str) -> None:
            add(now, *paths)
            if len(watcher._debouncer._paths) > MAX_PATHS:
                counted.set()

        watcher._debouncer.add = add_and_count  # type: ignore[method-assign]
        for number in range(MAX_PATHS + 500):
            (root / f"n{number}.py").write_text("x")
        assert counted.wait(PATIENCE)
        handled.set()
        with arrived:
            assert arrived.wait_for(lambda: len(batches) >= 2, PATIENCE)
    assert batches[0].paths == ("first.py",)
    assert batches[1] == ChangeBatch((), True, "many files changed at once")


def test_changes_wait_while_git_holds_its_lock(root: Path, listener: Listener) -> None:
    lock = root / ".git" / "index.lock"
    lock.parent.mkdir()
    lock.touch()
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(quiet=0.01, max_delay=0.05)) as watcher:
        (root / "a.py").write_text("one")
        lock_checked = threading.Event()
        git_is_busy = watcher.git_is_busy
        watcher.git_is_busy = lambda: lock_checked.set() or git_is_busy()  # type: ignore[method-assign,func-returns-value]
        assert lock_checked.wait(PATIENCE)
        assert not listener.paths
        (root / "sub" / "b.py").write_text("two")
        lock.unlink()
        listener.wait_for("a.py", "sub/b.py")


def test_changes_do_not_wait_for_a_lock_under_which_nothing_changes(
    root: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git was killed, or its user is writing a commit message."""
    monkeypatch.setattr("retrieval.files.watcher.GIT_LOCK_SECONDS", float("inf"))
    monkeypatch.setattr("retrieval.files.watcher.GIT_QUIET_SECONDS", 0.2)
    (root / ".git").mkdir()
    (root / ".git" / "index.lock").touch()
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(quiet=0.01, max_delay=0.05)):
        (root / "a.py").write_text("one")
        listener.wait_for("a.py")


def test_changes_that_are_held_back_are_told(root: Path, listener: Listener) -> None:
    lock = root / ".git" / "index.lock"
    lock.parent.mkdir()
    lock.touch()
    holds: list[bool] = []
    told, timing = threading.Event(), WatchTiming(quiet=0.01, max_delay=0.05)

    def on_hold(held: bool) -> None:
        holds.append(held)
        if held:
            assert not listener.paths
            lock.unlink()
        else:
            assert listener.paths
            told.set()

    with Watcher(root, Scanner(root), listener, timing=timing, on_hold=on_hold):
        (root / "a.py").write_text("one")
        assert told.wait(PATIENCE)
    assert holds == [True, False]


def test_a_listener_that_fails_is_called_again(root: Path, listener: Listener) -> None:
    failed = threading.Event()

    def fail_once(changes: ChangeBatch) -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("no")
        listener(changes)

    with Watcher(root, Scanner(root), fail_once, timing=WatchTiming(quiet=0.01)):
        (root / "a.py").write_text("y")
        assert failed.wait(PATIENCE)
        (root / "sub" / "b.py").write_text("y")
        listener.wait_for("sub/b.py")


def refuse(*_: object) -> object:
    raise OSError(errno.ENOSPC, "inotify watch limit reached")


def test_without_native_events_it_polls_and_reports_that_once(root: Path, listener: Listener) -> None:
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(poll_every=0.02), watch=refuse) as watcher:  # type: ignore[arg-type]
        assert watcher.mode == "polling"
        assert len(watcher.notes) == 1
        assert "inotify watch limit reached" in watcher.notes[0]
        (root / "new.py").write_text("x")
        listener.wait_for("new.py")
        (root / "new.py").unlink()
        (root / "sub" / "b.py").write_text("longer than before")
        listener.wait_for("sub/b.py")


def test_a_tree_that_can_only_be_watched_in_part_is_polled(
    root: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.files.watcher.require_watches", refuse)
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(poll_every=0.02)) as watcher:
        assert watcher.mode == "polling"


def test_it_polls_when_a_new_folder_cannot_be_watched(
    root: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Watcher(root, Scanner(root), listener, timing=WatchTiming(quiet=0.01, poll_every=0.02)) as watcher:
        assert watcher.mode == "native"
        monkeypatch.setattr("retrieval.files.watcher.require_watches", refuse)
        (root / "new").mkdir()
        listener.wait(lambda: "not every folder can be watched" in listener.reasons)
        assert watcher.mode == "polling"
        assert len(watcher.notes) == 1
        (root / "new" / "later.py").write_text("z")
        listener.wait_for("new/later.py")


def test_watches_are_available_here(root: Path) -> None:
    watch_limits.require_watches(root)


def test_stop_ends_its_threads_and_no_callback_follows(root: Path, listener: Listener) -> None:
    watcher = Watcher(root, Scanner(root), listener, timing=WatchTiming(quiet=0.01))
    watcher.start()
    watcher.stop()
    watcher.stop()
    (root / "a.py").write_text("y")
    assert "c2llm-watch" not in {thread.name for thread in threading.enumerate()}
    assert not listener.batches


def test_it_can_be_stopped_from_its_own_callback(root: Path) -> None:
    stopped = threading.Event()

    def stop(_: ChangeBatch) -> None:
        watcher.stop()
        stopped.set()

    watcher = Watcher(root, Scanner(root), stop, timing=WatchTiming(quiet=0.01))
    watcher.start()
    (root / "a.py").write_text("y")
    assert stopped.wait(PATIENCE)
    watcher.stop()
