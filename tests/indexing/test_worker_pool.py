"""Files cut by worker processes give what files cut here give, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from retrieval.chunking import boundaries, grammars
from retrieval.engine import Workspace
from retrieval.indexing import index_files, limits, shared_worker
from retrieval.indexing import worker_pool as pools
from retrieval.indexing.chunk_jobs import BY_LINES, ChunkedFile, ChunkJob, InProcessChunker, in_order
from retrieval.indexing.worker_pool import CRASHED, CRASHED_OR_EXHAUSTED, LOST, WorkerPool
from tests.engine.indexed import CountingEncoder, check_equals_fresh, rows_of, write_project
from tests.patience import PATIENCE

SEGV = CRASHED_OR_EXHAUSTED if limits.memory_is_limited() else f"{CRASHED}: SIGSEGV"
TEXTS = {
    "a.py": "class Alpha:\n    def beta(self):\n        return '€ 🚀'\n" * 30,
    "b.md": "# One\ntext\n\n## Two\nmore\n",
    "c.ipynb": '{"cells": [{"cell_type": "code", "source": ["def gamma():\\n", "    return 1\\n"]}], "metadata": {}}',
    "d.rs": "impl Delta { fn epsilon(&self) -> u8 { 1 } }\r\n" * 40,
    "e.txt": "lone \udc80 surrogate\n",
    "f.py": "",
}


@dataclass(frozen=True)
class Item:
    job: ChunkJob | None


def never() -> threading.Event:
    return threading.Event()


def jobs(count: int = 200) -> list[ChunkJob]:
    return [
        ChunkJob(f"{i}/{path}", f"{text}\n# {i}\n", i % 2 == 0) for i in range(count) for path, text in TEXTS.items()
    ]


def cut_by(chunker: InProcessChunker | WorkerPool, todo: list[ChunkJob]) -> list[ChunkedFile | None]:
    return [item.job.chunked for item in in_order(map(Item, todo), chunker, never()) if item.job]


@pytest.mark.slow
def test_workers_give_what_this_process_gives_in_the_same_order() -> None:
    with WorkerPool(2) as pool:
        assert cut_by(pool, jobs()) == cut_by(InProcessChunker(), jobs())


def test_a_worker_loads_neither_numpy_nor_a_database_nor_what_reads_the_metadata_of_packages() -> None:
    """They are most of the time and memory that the start of one would take."""
    code = "import retrieval.indexing.worker, retrieval.indexing.chunk_jobs, retrieval.indexing.limits, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "sqlite3", "filelock", "importlib.metadata", "subprocess"} & set(done.stdout.split())


@pytest.mark.slow
def test_an_index_made_by_workers_is_the_one_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    write_project(root, 40)
    for name, text in TEXTS.items():
        (root / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    rows = []
    for limit in (1, 1_000):
        monkeypatch.setattr(index_files, "POOL_FROM", limit)
        with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / str(limit)) as workspace:
            workspace.refresh()
            ids = workspace.store.chunks.ids().tolist()
            rows.append((rows_of(workspace), list(workspace.store.chunks.get(ids).items())))
            check_equals_fresh(workspace, tmp_path / f"fresh{limit}")
    assert rows[0] == rows[1]


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A grammar that kills its process on a file whose path says so, PARSE only where the file is parsed. One that hangs writes
    its process id into the pipe `hangs`."""
    os.mkfifo(tmp_path / "hangs")
    code = (
        "import os, threading\n"
        "from retrieval.indexing import chunk_jobs, worker\n"
        "real = chunk_jobs.chunk_text\n"
        "def cut(path, text, words, note, language):\n"
        "    if 'SEGV' in path or ('PARSE' in path and not note): os.kill(os.getpid(), 11)\n"
        "    if 'OOM' in path: os.kill(os.getpid(), 9)\n"
        "    if 'HANG' in path:\n"
        f"        with open({str(tmp_path / 'hangs')!r}, 'w') as pipe: pipe.write(str(os.getpid()))\n"
        "        threading.Event().wait()\n"
        f"    if 'ONCE' in path and not os.path.exists({str(tmp_path / 'once')!r}):\n"
        f"        open({str(tmp_path / 'once')!r}, 'w').close(); os.kill(os.getpid(), 9)\n"
        "    print('noise')\n"
        "    os.write(1, b'more noise')\n"
        "    return real(path, text, words, note, language)\n"
        "chunk_jobs.chunk_text = cut\n"
        "worker.main()"
    )
    monkeypatch.setattr(pools, "BOOT_CODE", code)
    shared_worker.close()
    yield tmp_path
    shared_worker.close()


@pytest.mark.slow
def test_a_file_that_kills_two_workers_is_given_up_and_no_other_is(trap: Path) -> None:
    todo = jobs(30)
    todo.insert(50, ChunkJob("SEGV.py", "x = 1\n", True))
    todo.insert(90, ChunkJob("OOM.py", "x = 1\n", True))
    with WorkerPool(2) as pool:
        found = {item.job.path: item.job for item in in_order(map(Item, todo), pool, never()) if item.job}
    assert found["SEGV.py"].failure == SEGV
    assert found["OOM.py"].failure == f"{CRASHED}: SIGKILL"
    expected = cut_by(InProcessChunker(), jobs(30))
    assert [job.chunked for path, job in found.items() if "." in path and path[0].isdigit()] == expected


def test_a_worker_that_is_killed_once_costs_no_file(trap: Path) -> None:
    todo = [*jobs(5), ChunkJob("ONCE.py", "x = 1\n", True)]
    with WorkerPool(1) as pool:
        assert all(item.job and item.job.chunked for item in in_order(map(Item, todo), pool, never()))
    assert (trap / "once").exists()


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed(trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "SILENT_SECONDS", 2.0)
    todo = [ChunkJob("HANG.py", "x = 1\n", True), *jobs(2)]
    with WorkerPool(1) as pool:
        done = [item.job for item in in_order(map(Item, todo), pool, never()) if item.job]
    assert done[0].failure == pools.STUCK
    assert all(job.chunked for job in done[1:])


@pytest.mark.slow
def test_workers_that_die_on_everything_are_given_up(trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_DEATHS", 3)
    todo = [ChunkJob(f"SEGV{n}.py", "x = 1\n", True) for n in range(40)]
    with WorkerPool(1) as pool:
        done = [item.job for item in in_order(map(Item, todo), pool, never()) if item.job]
    assert all(job.failure for job in done)
    assert any(job.failure == LOST for job in done)


@pytest.mark.slow
def test_a_crash_is_a_skip_that_is_counted_and_gone_when_the_file_is_mended(
    trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_files, "POOL_FROM", 5)
    root = trap / "root"
    write_project(root, 10)
    (root / "SEGV.py").write_text("def broken():\n    return 1\n")
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=trap / "cache") as workspace:
        report = workspace.refresh()
        assert [skip.path for skip in report.skipped] == ["SEGV.py"]
        assert workspace.status().skipped == {SEGV: 1}
        assert report.files_changed == 11
        (root / "SEGV.py").write_text("def broken_still():\n    return 1\n" * 10)
        assert workspace.changed(["SEGV.py"]).skipped  # alone, and yet not cut in this process
        monkeypatch.undo()
        shared_worker.close()
        (root / "SEGV.py").write_text("def mended():\n    return 1\n")
        workspace.changed(["SEGV.py"])
        assert workspace.search("mended").hits[0].chunk.path == "SEGV.py"
        check_equals_fresh(workspace, trap / "fresh")


def test_a_file_that_cannot_be_parsed_is_cut_by_lines_and_named_and_not_parsed_again(
    trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = trap / "root"
    root.mkdir()
    text = "def broken():\n    return 1\n" * 20
    (root / "PARSE.py").write_text(text)
    (root / "whole.py").write_text(text)
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=trap / "cache") as workspace:
        report = workspace.refresh()
        assert [(skip.path, skip.reason) for skip in report.skipped] == [("PARSE.py", SEGV + BY_LINES)]
        assert {hit.chunk.path for hit in workspace.search("broken").hits} == {"PARSE.py", "whole.py"}
        (root / "PARSE.py").write_text(text + "x = 1\n")
        assert workspace.changed(["PARSE.py"]).skipped
        monkeypatch.setattr(shared_worker, "worker", lambda: pytest.fail("a worker is asked again"))
        (root / "PARSE.py").write_text(text)  # what it was before
        workspace.changed(["PARSE.py"])
        assert workspace.store.files.skipped() == {"PARSE.py": SEGV + BY_LINES}
        assert workspace.status().skipped == {SEGV + BY_LINES: 1}
        file = workspace.store.files.get("PARSE.py")
        assert file is not None
        remembered, _ = workspace.store.files.boundaries("PARSE.py", file.digest) or (None, None)
        assert remembered is not None
        monkeypatch.setattr(grammars, "version", lambda language: "newer")
        assert not boundaries.is_current(remembered)


@pytest.mark.slow
def test_many_such_files_in_a_row_cost_a_worker_each_and_no_other_file(trap: Path) -> None:
    todo = [ChunkJob(f"PARSE{n}.py", "x = 1\n", True) for n in range(12)] + jobs(1)
    with WorkerPool(1) as pool:
        done = [item.job for item in in_order(map(Item, todo), pool, never()) if item.job]
    assert all(job.chunked and job.note == SEGV + BY_LINES for job in done[:12])
    assert max(job.deaths for job in done[:12]) <= 2
    assert all(job.chunked and not job.note for job in done[12:])


@pytest.mark.parametrize(
    "how",
    [{"executable": "/nonexistent/python"}, {"executable": ""}, {"frozen": True}],
    ids=["missing", "none", "frozen"],
)
def test_where_no_process_can_be_started_files_are_cut_here(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, object]
) -> None:
    for name, value in how.items():
        monkeypatch.setattr(sys, name, value, raising=False)
    with WorkerPool(1) as pool:
        assert cut_by(pool, jobs(3)) == cut_by(InProcessChunker(), jobs(3))


def test_a_start_that_fails_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "BOOT_CODE", "raise SystemExit(3)")
    with WorkerPool(1) as pool:
        assert cut_by(pool, jobs(3)) == cut_by(InProcessChunker(), jobs(3))


def test_cancelled_work_ends_at_once_and_leaves_no_process(trap: Path) -> None:
    cancel = threading.Event()
    before = set(psutil.Process().children())
    with WorkerPool(1) as pool:
        todo = iter([ChunkJob("HANG.py", "x = 1\n", True)])
        threading.Timer(0.5, cancel.set).start()
        assert list(in_order(map(Item, todo), pool, cancel)) == []  # the job itself sleeps for ten minutes
    assert set(psutil.Process().children()) <= before


@pytest.mark.slow
def test_a_worker_dies_with_its_parent(trap: Path) -> None:
    """Killed by a signal that nobody can catch, while a worker is busy."""
    code = (
        "import sys, threading\n"
        f"sys.path[:0] = {[str(Path(index_files.__file__).parents[2])]!r}\n"
        "from retrieval.indexing import worker_pool as pool\n"
        "from retrieval.indexing.chunk_jobs import ChunkJob\n"
        f"pool.BOOT_CODE = {pools.BOOT_CODE!r}\n"
        "p = pool.WorkerPool(1)\n"
        "p.submit(ChunkJob('HANG.py', 'x', True))\n"
        "threading.Event().wait()\n"
    )
    import subprocess

    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int((trap / "hangs").read_text()))
    assert worker.is_running()
    if sys.platform.startswith("linux"):
        ours = {Path(f"/proc/{parent.pid}/fd/{number}").readlink() for number in (0, 1)}
        theirs = set()
        for entry in Path(f"/proc/{worker.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since
                theirs.add(entry.readlink())
        assert not ours & theirs  # what the parent talks over is not open in the worker
    os.kill(parent.pid, signal.SIGKILL)
    assert parent.stdout.read() == ""  # so the pipe ends when the parent does
    parent.wait()
    worker.wait(PATIENCE)
