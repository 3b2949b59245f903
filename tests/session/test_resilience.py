"""Live sessions beside others, on full disks, and on files that are damaged under them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.errors import StorageFullError
from retrieval.indexing import writer_pid
from tests import disks, fork_server
from tests.engine.indexed import check_equals_fresh, write_project
from tests.session.watched import Live, live

HERE = Path(__file__).resolve()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a session on the same workspace, held while it writes."""
    write_project(tmp_path / "root", 40)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    script = str(HERE.with_name("session_child.py"))
    command = [sys.executable, script, str(tmp_path / "root"), str(tmp_path / "cache")]
    process = fork_server.popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.slow
def test_another_session_takes_over_when_the_writer_is_killed(tmp_path: Path, child: subprocess.Popen[str]) -> None:
    running = Live(tmp_path / "root", tmp_path / "cache")
    running.watcher.start()
    running.session.start()
    try:
        assert writer_pid(running.workspace.store.directory) == child.pid
        running.wait(lambda: "Busy" in running.kinds)
        answer = running.workspace.search("send request")
        assert answer.hits  # from what the other one has written
        assert answer.freshness.stale
        child.kill()
        running.wait(lambda: "Done" in running.kinds)
        running.settle()
        check_equals_fresh(running.workspace, tmp_path / "fresh")
    finally:
        running.stop()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A cache folder on a disk of 3 MB."""
    with disks.small_disk(tmp_path / "cache", 3) as folder:
        yield folder


@pytest.mark.slow
def test_a_session_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path, small: Path) -> None:
    with live(tmp_path) as running:
        write_project(running.root, 300, functions=8)
        running.wait(lambda: "Failed" in running.kinds)
        assert isinstance(running.failures[0].error, StorageFullError)
        assert running.workspace.search("last").hits
        assert running.workspace.search("last").freshness.stale
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        running.settle()
        check_equals_fresh(running.workspace, tmp_path / "fresh")


def garbage(path: Path) -> None:
    """Every page but the first becomes nonsense, in place."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * max(0, path.stat().st_size - 4096))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.db", "index.db-wal", "vectors.db", "vectors.db-wal"])
@pytest.mark.parametrize("damage", [garbage, cut, zero, gone])
def test_a_database_that_is_damaged_while_it_is_open_is_made_anew(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    with live(tmp_path) as running:
        write_project(running.root, 20)
        running.settle()
        folder = running.workspace.store.directory
        damage((folder if name.startswith("index") else tmp_path / "cache") / name)
        running.workspace.search("send request")  # answers, with or without hits
        assert running.workspace.status()
        for path in running.root.rglob("module_*.py"):
            path.write_text(path.read_text() + "\nMORE = 1\n")
        running.settle()
        running.workspace.refresh()
        check_equals_fresh(running.workspace, tmp_path / "fresh")


def test_who_finds_the_index_replaced_does_not_wait_for_the_run_that_fills_the_new_one(tmp_path: Path) -> None:
    with live(tmp_path) as running:
        write_project(running.root, 2)
        running.settle()
        workspace, damaged = running.workspace, running.workspace.store
        garbage(damaged.directory / "index.db")
        workspace.writer.repair(damaged)
        assert workspace.store is not damaged
        with workspace.context.stores.writing:  # as a run does, for as long as it takes
            workspace.writer.repair(damaged, wait=0)


def test_an_index_that_a_question_finds_damaged_is_filled_again_with_no_change_of_a_file(tmp_path: Path) -> None:
    with live(tmp_path) as running:
        write_project(running.root, 20)
        running.settle()
        running.workspace.store.checkpoint()
        garbage(running.workspace.store.directory / "index.db")
        running.workspace.store.database._idle.clear()  # connections that have read nothing yet
        running.workspace.context.vector_indexes.forget()
        running.workspace.search("send request")
        running.wait(lambda: not running.workspace.freshness().stale)
        assert any("set aside" in note for note in running.workspace.search("send request").notes)
        check_equals_fresh(running.workspace, tmp_path / "fresh")


def test_a_cache_folder_that_is_deleted_while_it_is_open_is_made_anew(tmp_path: Path) -> None:
    with live(tmp_path) as running:
        write_project(running.root, 20)
        running.settle()
        shutil.rmtree(tmp_path / "cache")
        running.workspace.search("send request")
        for path in running.root.rglob("module_*.py"):
            path.write_text(path.read_text() + "\nMORE = 1\n")
        running.settle()
        running.workspace.refresh()
        check_equals_fresh(running.workspace, tmp_path / "fresh")
