"""Worker processes that parse (see worker.py), and what happens when one dies.

A worker ends when its stdin does, and is killed when it is no longer wanted: there is nothing that it could leave half
done.

A worker that dies (a grammar that crashes, a text that takes too much memory or time) or that says nothing for a minute
loses nothing: what it had not answered goes to a fresh one. The text that it was at is cut by lines next, or its task has
failed; where it may have died of something else (a kill from outside, what an earlier text did to it) the text is tried
once more, as the first of a fresh worker. Where no worker can be started at all, files are cut in this process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from retrieval.indexing.cancel import Cancel
from retrieval.indexing.chunk_jobs import TIMEOUT, ChunkJob, InProcessChunker, Task
from retrieval.indexing.cpu import processors
from retrieval.indexing.ipc import describe_exit, receive, send
from retrieval.indexing.limits import MEMORY_BYTES, memory_is_limited
from retrieval.indexing.worker import NO_MEMORY
from retrieval.processes.helpers import Process, can_start_python, code_running_main, start

MOST_WORKERS = 4  # more would only wait for the one that writes
CRASHED = "crashed the parser"
EXHAUSTED = "parse exceeded the memory limit"
# A crash where memory is limited: code that does not check what it allocates cannot be told from a bug.
CRASHED_OR_EXHAUSTED = "parse crashed or exceeded the memory limit"
STUCK = "held the parser for too long"
LOST = "no worker could read it"

_GROUP_CHARACTERS = 40_000  # a group's texts: some 50 chunks, so that a message costs little beside them
_GROUP_JOBS = 16
_DEPTH = 2  # groups that a worker has at once, so that it never waits for the next
SILENT_SECONDS = 60.0  # the parser gives up after three seconds of a file; no group takes this long
_START_SECONDS = 60.0  # 0.1 s, where nothing else is going on
MAX_DEATHS = 8  # one after the other, without an answer in between, of which none can be put down to a parse
_LOOK_SECONDS = 0.05  # between two looks at whether it was cancelled

_NICENESS = 5  # of workers that nobody waits for
# How a worker ends by what it was given and not by someone else; by signal.
_OWN_ENDS = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"}
_TIMED_OUT = {"SIGPROF", "SIGXCPU"}

BOOT_CODE = code_running_main("retrieval.indexing.worker")

logger = logging.getLogger(__name__)


class WorkerPool:
    """Workers, started when the first task comes. May be used from any thread."""

    ahead = 400

    def __init__(
        self, workers: int | None = None, *, niceness: int = _NICENESS, idle_seconds: float | None = None
    ) -> None:
        """Workers that had nothing to do for `idle_seconds` end, until the next task comes."""
        self.niceness, self.idle_seconds = niceness, idle_seconds
        self._workers = workers if workers is not None else max(1, min(processors() - 1, MOST_WORKERS))
        self._changed = threading.Condition()
        self._jobs: deque[Task] = deque()
        self._members: list[_Worker] = []
        self._deaths = 0
        self._closed = self._given_up = False
        self._broken = not can_start_python()

    def submit(self, job: Task, *, first: bool = False) -> None:
        """`first`: before all that waits."""
        with self._changed:
            if self._given_up or self._closed:
                Task.fail(job, LOST)
                return
            (self._jobs.appendleft if first else self._jobs.append)(job)
            self._changed.notify_all()
            if len(self._members) < self._workers and not self._broken:
                self._members.append(_Worker(self))

    def wait(self, job: Task, cancel: Cancel) -> None:
        """Return when it is done, cancelled, or the pool was closed. Where no worker can be started jobs are done here; other tasks
        are not done.
        """
        while not job.done and not cancel.is_set() and not self._closed:
            with self._changed:
                if self._broken and not job.deaths:
                    break
                if not job.done:
                    self._changed.wait(_LOOK_SECONDS)
            for member in tuple(self._members):
                member.look()
        if self._broken and not job.done and not cancel.is_set():
            if isinstance(job, ChunkJob):
                InProcessChunker().wait(job, cancel)
            else:
                job.fail(LOST)

    def close(self) -> None:
        """End all workers at once; jobs that are not done stay so."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
            members = tuple(self._members)
        for member in members:
            member.kill()
        for member in members:
            member.join()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- for the workers' threads -----------------------------------------------------------------------------------

    def take(self, *, block: bool) -> list[Task]:
        """The next group; empty where there is none (or, blocking, where there will be none)."""
        with self._changed:
            if block:
                self._changed.wait_for(lambda: self._jobs or self._closed or self._broken, self.idle_seconds)
            group: list[Task] = []
            size = 0
            while self._jobs and not self._broken and size < _GROUP_CHARACTERS and len(group) < _GROUP_JOBS:
                group.append(self._jobs.popleft())
                size += group[-1].size
            return group

    def retire(self, member: _Worker) -> bool:
        """A worker has nothing to do. Whether it may end; the next task starts another one then."""
        with self._changed:
            if self._jobs and not self._closed and not self._broken:
                return False
            if not self._closed and not self._broken:
                self._members.remove(member)
            return True

    def answered(self, job: Task, result: Any, refused: str) -> bool:
        """A worker is done with a task. False where that has to be done in another way, by the same worker."""
        with self._changed:
            self._deaths = 0
            again = False
            if refused:
                again = job.fail(EXHAUSTED if refused == NO_MEMORY else TIMEOUT)
            else:
                job.succeed(result)
            if again:
                self._jobs.appendleft(job)
            self._changed.notify_all()
            return not again

    def give_back(self, tasks: list[Task]) -> None:
        """What a worker was given and did not begin."""
        with self._changed:
            self._jobs.extendleft(reversed(tasks))
            self._changed.notify_all()

    def died(self, sent: list[Task], why: str, *, own: bool) -> bool:
        """A worker is gone with these tasks, of which it was at the first. `own`: it can have died of nothing else. Whether
        another one should be started.
        """
        with self._changed:
            if self._closed:
                return False
            self._jobs.extendleft(reversed(sent[1:]))
            job = sent[0] if sent else None
            self._deaths += 0 if job is not None and own and job.parses else 1
            if job is not None:
                job.attempts += 1
                job.deaths += 1
                if own or job.attempts > 1:
                    job.fail(why)
                if not job.done:
                    self._jobs.appendleft(job)
            self._given_up = self._deaths >= MAX_DEATHS
            if self._given_up:
                self._drop()
            self._changed.notify_all()
            logger.info("A worker died (%s).", why)
            return not self._given_up

    def no_worker(self, error: object) -> None:
        """Not even a start: this process does the work."""
        with self._changed:
            self._broken = True
            self._drop(but_untried=True)
            self._changed.notify_all()
        logger.warning("No worker process can be started (%s): files are cut in this one.", error)

    def _drop(self, *, but_untried: bool = False) -> None:
        """Give up what waits; what no worker died on can still be done elsewhere."""
        for job in self._jobs:
            if job.deaths or not but_untried:
                Task.fail(job, LOST)
        self._jobs.clear()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def given_up(self) -> bool:
        return self._given_up


class _Worker:
    """One worker process after another, and the thread that talks to it."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._asked = 0.0  # when it was last given something to do, 0 where it has nothing
        self._answers = 0  # of the process of now
        self._most_bytes = 0  # of memory, where the system does not hold that limit
        self._stuck = self._ready = self._exhausted = False
        self._thread = threading.Thread(target=self._run, name="c2llm-cut", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Kill a worker that has been silent for too long, or takes too much memory."""
        asked, limit = self._asked, SILENT_SECONDS if self._ready else _START_SECONDS
        if asked and time.monotonic() - asked > limit:
            self._stuck = True
            self.kill()
        if self._most_bytes and (process := self._process) is not None and _memory_of(process) > self._most_bytes:
            self._exhausted = True
            self.kill()

    def kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not self._pool.closed:
            try:
                process = self._start()
            except (OSError, ValueError, EOFError) as error:
                if not self._pool.closed:
                    self._pool.no_worker(error)
                return
            sent: list[Task] = []
            try:
                if self._converse(process, sent):
                    return
            except (OSError, EOFError, ValueError, TypeError):
                why, own = self._end(process)
                if not self._pool.died(sent, why, own=own):
                    return
            finally:
                self._end(process)

    def _start(self) -> Process:
        process = start(BOOT_CODE)
        with self._lock:
            self._process, self._asked, self._answers = process, time.monotonic(), 0
            self._stuck = self._ready = self._exhausted = False
            self._most_bytes = 0
        if self._pool.closed:
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin, self._pool.niceness)
            if receive(process.stdout) != "ready":
                raise ValueError("it said something unexpected")
        except BaseException:
            self._end(process)
            raise
        self._asked, self._ready = 0.0, True
        self._most_bytes = 0 if memory_is_limited() else _memory_of(process) + MEMORY_BYTES
        return process

    def _converse(self, process: Process, sent: list[Task]) -> bool:
        """Send groups and take answers. Whether there is nothing more to do; False where another process is to go on."""
        assert process.stdin is not None
        assert process.stdout is not None
        groups: deque[int] = deque()  # how many of each group are not answered
        while True:
            while len(groups) < _DEPTH:
                self._asked = self._asked if sent else 0.0
                group = self._pool.take(block=not sent)
                if not group:
                    break
                sent += group
                groups.append(len(group))
                self._asked = self._asked or time.monotonic()
                send(process.stdin, [(job.module, job.function, job.arguments) for job in group])
            if not sent:
                if self._pool.retire(self):
                    return True
                continue
            result, refused = receive(process.stdout)
            self._asked = time.monotonic()
            self._answers += 1
            self._pool.answered(sent.pop(0), result, refused)
            if refused == NO_MEMORY:  # a parser keeps what it took: the next text would find no room either
                self._pool.give_back(sent)
                return False
            groups[0] -= 1
            if not groups[0]:
                groups.popleft()

    def _end(self, process: Process) -> tuple[str, bool]:
        """See a process to its end. Why it died, and whether that can only be due to what it was at."""
        with self._lock:
            process.kill()
            code = process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            self._process, self._asked = None, 0.0
        if self._exhausted:
            return EXHAUSTED, True
        if self._stuck:
            return STUCK, False
        if code >= 0:
            return CRASHED, False
        name = describe_exit(code)
        if name in _TIMED_OUT:
            return TIMEOUT, True
        if name in _OWN_ENDS and memory_is_limited():
            return CRASHED_OR_EXHAUSTED, not self._answers
        return f"{CRASHED}: {name}", name in _OWN_ENDS and not self._answers


def _memory_of(process: Process) -> int:
    import psutil

    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0
