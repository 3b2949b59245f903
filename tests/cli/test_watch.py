"""`c2llm watch` on a real project with real file events: it catches up, follows, and ends cleanly."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.patience import PATIENCE

PROGRESS = re.compile(r"[A-Z][a-z ]+: [\d,]+ of [\d,]+ ")  # said where something takes seconds


class Watching:
    """A running `c2llm watch` whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(line)
        self._queue.put(None)

    def until(self, pattern: str) -> str:
        """The next line that matches."""
        while True:
            line = self._queue.get(timeout=PATIENCE)
            assert line is not None, f"ended before {pattern!r}: {self.lines}"
            self.lines.append(line)
            if re.search(pattern, line):
                return line

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        assert self.process.stderr
        return code, "".join(line for line in self.process.stderr if not PROGRESS.match(line))


@contextmanager
def watching(c2llm: Program, project: Path) -> Iterator[Watching]:
    process = c2llm.start("watch", project)
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_it_catches_up_follows_and_ends(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    (project / "app/late.py").write_text("def late_giraffe():\n    return 1\n")
    with watching(c2llm, project) as watch:
        watch.until(r"1 files read; [1-9]\d* chunks added")
        (project / "app/more.py").write_text("def one_more_walrus():\n    return 1\n")
        watch.until(r"1 files read; [1-9]\d* chunks added.* ms")
        assert "more.py" in c2llm("search", "walrus", project, "--no-wait").out
        (project / "app/more.py").unlink()
        watch.until("1 gone")
        assert "more.py" not in c2llm("search", "walrus", project, "--no-wait").out
        code, err = watch.end(signal.SIGTERM)
        assert (code, err) == (0, "")


def test_ctrl_c_ends_it_cleanly(c2llm: Program, project: Path) -> None:
    with watching(c2llm, project) as watch:
        watch.until("files read")
        code, err = watch.end(signal.SIGINT)
        assert (code, err) == (0, "")


@pytest.mark.slow
def test_a_branch_switch_embeds_nothing_twice(c2llm: Program, project: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=n@n", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *identity, "-C", str(project), *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    for number in range(30):
        (project / f"app/branch_{number}.py").write_text(f"def on_the_branch_{number}():\n    return {number}\n")
    (project / "core/queue.go").unlink()
    git("add", "-A")
    git("commit", "-qm", "two")
    with watching(c2llm, project) as watch:
        watch.until("files read")
        git("checkout", "-q", "main")
        watch.until("gone")
        assert "queue.go" in c2llm("search", "add a job to the queue", project).out
        git("checkout", "-q", "other")
        line = watch.until("30 files read|0 embedded, 3[0-9] known")
        assert "; 0 embedded" in line
        assert "on_the_branch_7" in c2llm("search", "on_the_branch_7", project, "--no-wait").out
        assert watch.end(signal.SIGTERM)[0] == 0


@pytest.mark.slow
def test_new_ignore_rules_take_effect(c2llm: Program, project: Path) -> None:
    with watching(c2llm, project) as watch:
        watch.until("files read")
        (project / ".gitignore").write_text("web/\n")
        watch.until("1 gone")
        assert "retry.ts" not in c2llm("search", "fetch with retry", project, "--no-wait").out


def test_a_missing_directory_is_an_error(c2llm: Program, tmp_path: Path) -> None:
    assert c2llm("watch", tmp_path / "nope").code == 2


@pytest.mark.slow
def test_many_files_at_once_are_few_lines(c2llm: Program, project: Path) -> None:
    with watching(c2llm, project) as watch:
        watch.until("files read")
        before = len(watch.lines)
        for number in range(400):
            (project / f"app/many_{number}.py").write_text(f"def many_{number}():\n    return {number}\n")
        (project / "app/zz_last.py").write_text("def the_very_last():\n    return 1\n")
        while "zz_last.py" not in c2llm("search", "the_very_last", project, "--no-wait").out:
            watch.until("files read")
        assert len(watch.lines) - before <= 40
