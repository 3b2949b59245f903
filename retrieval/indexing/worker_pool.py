"""Worker processes that cut files (see worker.py), and what happens when one dies.

A worker ends when its stdin does, and is killed when it is no longer wanted: there is nothing that it could leave half
done.

A worker that dies (a grammar that crashes, a system without memory) or that says nothing for a minute loses nothing:
what it had not answered goes to a fresh one, and the files of the group it was at go one by one. A file on which a
second worker dies is given up with the reason. Where no worker can be started at all, files are cut in this process.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from retrieval.indexing.chunk_jobs import Cancel, CutFile, Here, Job
from retrieval.indexing.ipc import how_it_ended, receive, send
from retrieval.processes.helpers import Process, main_of, may_start, start

MOST_WORKERS = 4  # more would only wait for the one that writes
CRASHED = "crashed the parser"
STUCK = "held the parser for too long"
LOST = "no worker could read it"

_GROUP_CHARACTERS = 40_000  # a group's texts: some 50 chunks, so that a message costs little beside them
_GROUP_JOBS = 16
_DEPTH = 2  # groups that a worker has at once, so that it never waits for the next
_SILENT_SECONDS = 60.0  # the parser gives up after three seconds of a file; no group takes this long
_START_SECONDS = 60.0  # a third of a second, where nothing else is going on
_MOST_DEATHS = 8  # one after the other, without an answer in between
_LOOK_SECONDS = 0.05  # between two looks at whether it was cancelled

_BOOT = main_of("retrieval.indexing.worker")

logger = logging.getLogger(__name__)


class Pool:
    """Workers, started when the first job comes. For one caller's thread; `close` is safe from any."""

    ahead = 400

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers if workers is not None else max(1, min(processors() - 1, MOST_WORKERS))
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._members: list[_Worker] = []
        self._deaths = 0
        self._closed = self._given_up = False
        self._broken = not may_start()

    def submit(self, job: Job) -> None:
        with self._changed:
            if self._given_up:
                job.failure = LOST
                return
            self._jobs.append(job)
            self._changed.notify()
            if len(self._members) < self._workers and not self._broken:
                self._members.append(_Worker(self))

    def wait(self, job: Job, cancel: Cancel) -> None:
        while not job.done and not cancel.is_set():
            with self._changed:
                if self._broken and not job.tried:
                    break
                if not job.done:
                    self._changed.wait(_LOOK_SECONDS)
            for member in self._members:
                member.look()
        if not job.done and not cancel.is_set():
            Here().wait(job, cancel)

    def close(self) -> None:
        """End all workers at once; jobs that are not done stay so."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
        for member in self._members:
            member.kill()
        for member in self._members:
            member.join()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- for the workers' threads -----------------------------------------------------------------------------------

    def take(self, *, block: bool) -> list[Job]:
        """The next group; empty where there is none (or, blocking, where there will be none)."""
        with self._changed:
            if block:
                self._changed.wait_for(lambda: self._jobs or self._closed or self._broken)
            group: list[Job] = []
            size = 0
            while self._jobs and not self._broken and size < _GROUP_CHARACTERS and len(group) < _GROUP_JOBS:
                if self._jobs[0].tried and group:
                    break
                job = self._jobs.popleft()
                group.append(job)
                size += len(job.text)
                if job.tried:
                    break
            return group

    def answered(self, group: list[Job], answers: list[Any]) -> None:
        with self._changed:
            self._deaths = 0
            for job, (found, words) in zip(group, answers, strict=True):
                job.cut = CutFile(found, words)
            self._changed.notify_all()

    def died(self, sent: list[list[Job]], why: str) -> bool:
        """A worker is gone with these groups. Whether another one should be started."""
        with self._changed:
            if self._closed:
                return False
            self._deaths += 1
            for group in reversed(sent[1:]):
                self._jobs.extendleft(reversed(group))
            suspects = sent[0] if sent else []
            for job in suspects:
                job.tried += 1
            if len(suspects) == 1 and suspects[0].tried > 1:
                suspects[0].failure = why
            else:
                self._jobs.extendleft(reversed(suspects))
            self._given_up = self._deaths >= _MOST_DEATHS
            if self._given_up:
                self._drop()
            self._changed.notify_all()
            logger.warning("A worker that cuts files died (%s).", why)
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
            if job.tried or not but_untried:
                job.failure = LOST
        self._jobs.clear()

    @property
    def closed(self) -> bool:
        return self._closed


class _Worker:
    """One worker process after another, and the thread that talks to it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._asked = 0.0  # when the oldest unanswered group was sent, 0 where none is
        self._stuck = self._ready = False
        self._thread = threading.Thread(target=self._run, name="c2llm-cut", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Kill a worker that has been silent for too long."""
        asked, limit = self._asked, _SILENT_SECONDS if self._ready else _START_SECONDS
        if asked and time.monotonic() - asked > limit:
            self._stuck = True
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
            sent: list[list[Job]] = []
            try:
                self._converse(process, sent)
                return
            except (OSError, EOFError, ValueError, TypeError):
                why = self._end(process)
                if not self._pool.died(sent, why):
                    return
            finally:
                self._end(process)

    def _start(self) -> Process:
        process = start(_BOOT)
        with self._lock:
            self._process, self._asked, self._stuck, self._ready = process, time.monotonic(), False, False
        if self._pool.closed:
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if receive(process.stdout) != "ready":
                raise ValueError("it said something unexpected")
        except BaseException:
            self._end(process)
            raise
        self._asked, self._ready = 0.0, True
        return process

    def _converse(self, process: Process, sent: list[list[Job]]) -> None:
        """Send groups and take answers until there is nothing more to do."""
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            while len(sent) < _DEPTH:
                self._asked = self._asked if sent else 0.0
                group = self._pool.take(block=not sent)
                if not group:
                    break
                sent.append(group)
                self._asked = self._asked or time.monotonic()
                send(process.stdin, [(job.path, job.text, job.wants_words) for job in group])
            if not sent:
                return
            answers = receive(process.stdout)
            self._asked = time.monotonic()
            self._pool.answered(sent[0], answers)
            sent.pop(0)

    def _end(self, process: Process) -> str:
        """See a process to its end; why it died."""
        with self._lock:
            process.kill()
            code = process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            self._process, self._asked = None, 0.0
        if self._stuck:
            return STUCK
        return CRASHED if code >= 0 else f"{CRASHED}: {how_it_ended(code)}"


def processors() -> int:
    """How many of this machine's this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
