"""A small language client over pipes or a socket: raw bytes where a test wants them, everything received kept in order.

Nothing here sleeps to synchronise: a test waits for an answer, for something that the server says, or asks again each
time the server says something.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tests import fork_server
from tests.cli.program import CHECKOUT, Program
from tests.patience import PATIENCE

T = TypeVar("T")
Message = dict[str, Any]


class Unanswered:
    """A reply that a client keeps for later."""


class Connection:
    """One conversation. The reading thread answers what the server asks, as `replies` says."""

    def __init__(self, source: BinaryIO, out: BinaryIO) -> None:
        self._source, self._out = source, out
        self._sending = threading.Lock()
        self._heard = threading.Condition()
        self._answers: dict[Any, Message] = {}
        self._ids = itertools.count(1)  # from any thread
        self.said: list[Message] = []  # notifications and requests of the server
        self.lines: list[str] = []  # what came between messages, such as the announcement of a port
        self.ended = False
        self.replies: dict[str, Callable[[Any], Any]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # -- sending ----------------------------------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        with self._sending:
            self._out.write(data)
            self._out.flush()

    def send(self, message: Any) -> None:
        self.raw(framed(message))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def start(self, method: str, params: Any = None) -> int:
        """Ask, and go on; the id to wait for."""
        asked = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": asked, "method": method, "params": params})
        return asked

    # -- hearing ----------------------------------------------------------------------------------------------------

    def answer(self, asked: Any, seconds: float = PATIENCE) -> Message:
        """The whole answer to a request, error or not."""
        with self._heard:
            if not self._heard.wait_for(lambda: asked in self._answers or self.ended, seconds):
                raise AssertionError(f"no answer to {asked} in {seconds} s; the last heard: {self.said[-3:]}")
            assert asked in self._answers, "the server ended"
            return self._answers.pop(asked)

    def answered(self, asked: Any) -> bool:
        with self._heard:
            return asked in self._answers

    @contextmanager
    def reading_nothing(self) -> Iterator[None]:
        """The thread that reads stops at the next message of the server."""
        with self._heard:
            yield

    def forget_answer(self, asked: Any) -> None:
        """Drop an answer that nobody has taken, if there is one."""
        with self._heard:
            self._answers.pop(asked, None)

    def ask(self, method: str, params: Any = None, seconds: float = PATIENCE) -> Any:
        """The result of a request; an error fails the test."""
        answer = self.answer(self.start(method, params), seconds)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def refused(self, method: str, params: Any = None) -> Message:
        """The error of a request that must have one."""
        answer = self.answer(self.start(method, params))
        assert "error" in answer, answer
        error: Message = answer["error"]
        return error

    def hear(self, method: str, fits: Callable[[Any], Any] = lambda _: True, *, since: int = 0) -> Any:
        """The parameters of the first message of this kind that fits, already there or to come."""

        def found() -> list[Any]:
            return [m["params"] for m in self.said[since:] if m["method"] == method and fits(m["params"])]

        with self._heard:
            if not self._heard.wait_for(lambda: found() or self.ended, PATIENCE):
                raise AssertionError(f"no fitting {method}; the last heard: {self.said[-3:]}")
            assert found(), "the server ended"
            return found()[0]

    def heard(self, method: str, *, since: int = 0) -> list[Any]:
        with self._heard:
            return [message["params"] for message in self.said[since:] if message["method"] == method]

    def eventually(self, check: Callable[[], T], seconds: float = PATIENCE) -> T:
        """What `check` gives as soon as that is true; looked at again whenever the server says something."""
        end = time.monotonic() + seconds
        while not (found := check()):
            with self._heard:
                self._heard.wait(0.2)
            assert time.monotonic() < end, f"not within {seconds} s; the last heard: {self.said[-3:]}"
        return found

    def reply(self, asked: Message, result: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def messages(self, *, since: int = 0) -> list[str]:
        """The sentences that the user was shown."""
        return [said["message"] for said in self.heard("window/showMessage", since=since)]

    def _read(self) -> None:
        while (message := self._next()) is not None:
            reply: Any = Unanswered
            if "method" in message and "id" in message:
                reply = self.replies.get(message["method"], lambda _: None)(message.get("params"))
            with self._heard:
                if "method" in message:
                    self.said.append(message)
                else:
                    self._answers[message["id"]] = message
                self._heard.notify_all()
            if reply is not Unanswered:
                self.reply(message, reply)
        with self._heard:
            self.ended = True
            self._heard.notify_all()

    def _next(self) -> Message | None:
        length = 0
        try:
            while line := self._source.readline():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                elif not line.strip() and length:
                    found: Message = json.loads(self._source.read(length))
                    return found
                else:
                    self.lines.append(line.decode())
        except (OSError, ValueError):
            pass
        return None


class Client(Connection):
    """A conversation with a `c2llm serve` process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log
        assert process.stdin and process.stdout
        super().__init__(process.stdout, process.stdin)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def initialize(
        self,
        *roots: Path | str,
        can: Mapping[str, Any] | None = None,
        options: Any = None,
        encodings: Sequence[str] = (),
        process_id: int | None = None,
    ) -> Any:
        """The first two messages. `can` are the client's capabilities."""
        capabilities: Message = {"window": {"workDoneProgress": True}, **(can or {})}
        if encodings:
            capabilities["general"] = {"positionEncodings": list(encodings)}
        uris = [root.as_uri() if isinstance(root, Path) else root for root in roots]
        result = self.ask(
            "initialize",
            {
                "processId": process_id,
                "rootUri": uris[0] if uris else None,
                "workspaceFolders": [{"uri": uri, "name": uri.rpartition("/")[2]} for uri in uris],
                "capabilities": capabilities,
                "initializationOptions": options,
            },
        )
        self.notify("initialized", {})
        return result

    def leave(self) -> None:
        """Shut it down; its exit code must be 0."""
        assert self.ask("shutdown") is None
        self.notify("exit")
        assert self.process.wait(PATIENCE) == 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def dispose(self) -> None:
        """End it whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()

    # -- what the product answers -----------------------------------------------------------------------------------

    def status(self, folder: str | None = None) -> Any:
        return self.ask("c2llm/status", {"folder": folder})

    def ready(self, seconds: float = PATIENCE) -> Any:
        """Wait until every folder is indexed and every edit is in; the status then."""

        def done() -> Any:
            found = self.status()
            return found if all(f["state"] == "ready" and not f["pendingEdits"] for f in found["folders"]) else None

        return self.eventually(done, seconds)

    def search(self, query: str, **more: Any) -> Any:
        return self.ask("c2llm/search", {"query": query, **more})

    def paths(self, query: str, **more: Any) -> list[str]:
        return [hit["path"] for hit in self.search(query, **more)["hits"]]

    def finds(self, query: str, path: str, **more: Any) -> bool:
        return path in self.paths(query, **more)


def framed(message: Any) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def environment(home: Path, **more: str) -> dict[str, str]:
    """A home, cache and settings of its own, and the encoder that needs no model."""
    return Program(home).environment(PYTHONUNBUFFERED="1", **more)


def started(command: Sequence[str], home: Path, *, preexec: Callable[[], None] | None = None, **environ: str) -> Client:
    """Start a server, or a program that starts one."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"server-{len(list(home.glob('server-*.log')))}.log"
    with log.open("wb") as err:
        process = fork_server.popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            cwd=CHECKOUT,
            env=environment(home, **environ),
            preexec_fn=preexec,
        )
    return Client(process, log)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False
