"""A process that is killed while it indexes: no loss, no duplicate, no error, and only what was missing is embedded."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from retrieval.chunking import passage
from retrieval.engine import Workspace
from retrieval.indexing import embedding, writer_pid
from retrieval.store import passage_hash
from retrieval.types import Chunk
from tests import fork_server
from tests.engine.indexed import CountingEncoder, answers_of, check_equals_fresh, fresh_copy, rows_of, write_project
from tests.soak import rounds

CHILD = Path(__file__).with_name("crash_child.py")
HERE = Path(__file__).resolve()


class Child:
    """Another process that indexes: see `crash_child`."""

    def __init__(self, root: Path, cache: Path, *mode: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
        command = [sys.executable, str(CHILD), str(root), str(cache), *mode]
        self.process = fork_server.popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        assert self.line() == "open"

    def line(self) -> str:
        return self._out.readline().rstrip("\n")

    def go(self) -> None:
        self._in.write("\n")
        self._in.flush()

    def finish(self) -> None:
        assert self.line() == "done"
        assert self.process.wait() == 0
        self._close()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def _close(self) -> None:
        with suppress(BrokenPipeError):
            self._in.close()
        self._out.close()


KILLS = rounds(16, 50)


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    """Each kill hits an index that is being made or, every other time, one that was killed before."""
    root = tmp_path / "root"
    write_project(root, 20)
    with fresh_copy(root, tmp_path / "fresh") as fresh:
        whole, answers = rows_of(fresh), answers_of(fresh)
    passages = passages_of(whole)
    steps = steps_undisturbed(root, tmp_path / "undisturbed")
    dice = random.Random(7)
    halfway = 0
    for number in range(KILLS):
        cache = tmp_path / f"cache{number // 2}"
        child = Child(root, cache, "step")
        for _ in range(dice.randrange(steps)):
            child.go()
            if child.line() == "done":
                break
        else:
            child.go()  # so that the kill hits what the step begins, somewhere in it
        child.kill()
        halfway += check_opens_whole(root, cache, len(whole))
        if number % 2:
            check_resumes(root, cache, passages, whole, answers)
    assert halfway > KILLS / 4  # of the kills hit while something was there and something was missing


def steps_undisturbed(root: Path, cache: Path) -> int:
    child, steps = Child(root, cache, "step"), 1
    child.go()
    while child.line() != "done":
        child.go()
        steps += 1
    child.process.wait()
    return steps


def check_opens_whole(root: Path, cache: Path, total: int) -> bool:
    """No error, no repair, no chunk twice, an answer; whether the kill hit halfway."""
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        assert not workspace.store.notes
        rows = [row[:5] for row in rows_of(workspace)]
        assert len(rows) == len(set(rows))
        answer = workspace.search("send request")
        assert bool(answer.hits) == bool(workspace.store.chunks.count())
        assert answer.freshness.stale
        have = len(workspace.store.vectors.ids(workspace.encoder.fingerprint))
        return workspace.store.chunks.count() > 0 and have < total


def check_resumes(root: Path, cache: Path, passages: list[bytes], whole: object, answers: object) -> None:
    """The next run embeds only what is missing, and the index is then as one that was never disturbed."""
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        missing = set(passages) - set(workspace.store.vectors.of_passages(encoder.fingerprint, passages))
        workspace.refresh()
        assert len(encoder.passages) == len(missing)
        assert rows_of(workspace) == whole
        assert answers_of(workspace) == answers


def passages_of(rows: list[tuple[object, ...]]) -> list[bytes]:
    """The hashes of the passages of these rows."""
    return [passage_hash(passage(chunk)) for *_, chunk, _ in rows if isinstance(chunk, Chunk)]


@pytest.mark.slow
def test_two_processes_that_write_at_once_make_one_index(tmp_path: Path) -> None:
    root, cache = tmp_path / "root", tmp_path / "cache"
    write_project(root, 30)
    children = [Child(root, cache) for _ in range(3)]
    for child in children:
        child.go()
    for child in children:
        child.finish()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        workspace.refresh()
        assert encoder.passages == []
        check_equals_fresh(workspace, tmp_path / "fresh")


@pytest.mark.slow
def test_worktrees_indexed_at_once_share_their_vectors(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        write_project(root, 20)
    children = [Child(root, cache) for root in roots]
    for child in children:
        child.go()
    for child in children:
        child.finish()
    for number, root in enumerate(roots):
        encoder = CountingEncoder()
        with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
            workspace.refresh()
            assert encoder.passages == []
            check_equals_fresh(workspace, tmp_path / f"fresh{number}")


@pytest.mark.slow
def test_a_reader_answers_while_another_process_writes_and_takes_over_when_it_dies(tmp_path: Path) -> None:
    root, cache = tmp_path / "root", tmp_path / "cache"
    write_project(root, 40)
    child = Child(root, cache, "step")
    child.go()
    while child.line() != "words":  # the first commit
        child.go()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        assert workspace.store.chunks.count()
        assert writer_pid(workspace.store.directory) == child.process.pid
        report = workspace.refresh()
        assert report.busy
        assert str(child.process.pid) in report.notes[0]
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.freshness.stale
        assert workspace.status().writer_pid == child.process.pid
        child.kill()
        report = workspace.refresh()
        assert not report.busy
        assert workspace.status().writer_pid == 0
        assert not workspace.search("send request").freshness.stale
        check_equals_fresh(workspace, tmp_path / "fresh")


def test_a_reader_follows_the_commits_of_another_process(tmp_path: Path) -> None:
    """Two workspaces of one process stand for two processes: they share nothing but the files."""
    root, cache = tmp_path / "root", tmp_path / "cache"
    write_project(root, 3)
    with fresh_copy(root, cache) as writer, Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as reader:
        assert answers_of(reader) == answers_of(writer)
        (root / "new.py").write_text("def zeta_function():\n    return 'zeta'\n")
        (root / "pkg0" / "module_0.py").unlink()
        writer.refresh()
        assert answers_of(reader) == answers_of(writer)
        assert any(hit.chunk.path == "new.py" for hit in reader.search("zeta function").hits)


def test_a_cancelled_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BATCH", 8)
    root, cache = tmp_path / "root", tmp_path / "cache"
    write_project(root, 8)

    class After:
        def __init__(self, batches: int) -> None:
            self.left = batches

        def is_set(self) -> bool:
            return self.left <= 0

    stop = After(2)
    encoder = CountingEncoder(lambda: setattr(stop, "left", stop.left - 1))
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        report = workspace.refresh(cancel=stop)
        assert report.cancelled
        assert report.chunks_embedded == 16
        assert workspace.search("send request").freshness.pending_chunks == workspace.store.chunks.count() - 16
        report = workspace.refresh()
        assert not report.cancelled
        assert len(encoder.passages) == workspace.store.chunks.count() == 16 + report.chunks_embedded
        check_equals_fresh(workspace, tmp_path / "fresh")


def test_vectors_that_a_process_stored_and_did_not_announce_before_it_died_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "BATCH", 8)
    root, cache, encoder = tmp_path / "root", tmp_path / "cache", CountingEncoder()
    write_project(root, 3)

    class Now:
        def is_set(self) -> bool:
            return bool(encoder.passages)

    with (
        Workspace.open(root, encoder=encoder, cache_dir=cache) as dying,
        Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as reader,
    ):
        dying.refresh(cancel=Now())
        vectors, fingerprint = dying.store.vectors, encoder.fingerprint
        pending = vectors.pending(fingerprint, 1_000)
        assert pending
        before = len(reader.context.vector_index(reader.encoder).current())
        texts = [passage(each.chunk) for each in pending]
        vectors.put(fingerprint, [each.passage for each in pending], encoder.encode_passages(texts), name=encoder.name)
        (dying.store.directory / "writer.pid").write_text("1")
        reader.refresh()
        assert len(reader.context.vector_index(reader.encoder).current()) == before + len(pending)
        assert not reader.encoder.passages  # type: ignore[attr-defined]
