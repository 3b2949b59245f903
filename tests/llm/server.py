"""A server with OpenAI's and Anthropic's chat APIs, to be run as a process: it answers by script, well or badly, whatever is asked.

    python tests/llm/server.py        prints its port

The model's name chooses the script. GET /asked gives and forgets what was asked so far. A model that begins with "held" waits
behind its first piece until GET /release/MODEL.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = ["Rules are ", "applied one by one [app/ignore.py:4-9].\n", "\nThat is all."]
ANSWERS: dict[str, list[str]] = {
    "good": ANSWER,
    "tail": ANSWER,
    "length": ANSWER,
    "broken": ANSWER,
    "whole": ANSWER,
    "invented": ["See [app/ignore.py:4] and [app/mail.py:1-9] and ", "[app/ignore.py:900-901]."],
    "hostile": ["\x1b]0;owned\x07 \x1b[31mred\x1b[0m \u202e[a](http://evil.example) ```\n", "\x1b[2J"],
    "standalone": ["where are ignore rules applied"],
    "empty": [],
}
REFUSALS = {"401": 401, "404": 404, "429": 429, "500": 500, "redirect": 307}
GARBAGE = {"page": b"<html>no</html>", "json": b'{"a": [1]}', "bytes": b"\xff\xfe\x00", "list": b"[]"}


class State:
    """What was asked, and which held answers may go on."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.released: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.lock = threading.Lock()

    def release(self, model: str) -> threading.Event:
        """Set when the answers of a model may go on."""
        with self.lock:
            return self.released[model]


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_: object) -> None:
        """Nothing: the tests read standard output."""

    def do_GET(self) -> None:
        if self.path == "/asked":
            with STATE.lock:
                asked, STATE.asked = STATE.asked, []
            self._reply(200, json.dumps(asked).encode())
        elif self.path.startswith("/release/"):
            STATE.release(self.path.rpartition("/")[2]).set()
            self._reply(200, b"{}")
        else:  # /one/v1/models, /two/v1/models
            names = ["good"] if "/one/" in self.path else ["good", "other\x1b[31m"]
            self._reply(200, json.dumps({"data": [{"id": name} for name in names]}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with STATE.lock:
            STATE.asked.append(
                {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}
            )
        model = body["model"]
        if model in REFUSALS:
            key = self.headers.get("authorization", "none")
            error = {"error": {"message": f"no \x1b[31m{key}\x1b[0m"}}
            more = {"retry-after": "7", "location": f"http://127.0.0.1:1/v1?{key}"}
            self._reply(REFUSALS[model], json.dumps(error).encode(), more)
        elif model in GARBAGE:
            self._reply(
                200, GARBAGE[model], {"content-type": "text/event-stream"} if model == "bytes" else {}, b"data: "
            )
        elif model == "compressed":
            self._reply(200, gzip.compress(bytes(50_000_000)), {"content-encoding": "gzip"})
        elif model == "whole":
            message = {"choices": [{"message": {"content": "".join(ANSWER)}, "finish_reason": "stop"}]}
            self._reply(200, json.dumps(message).encode())
        else:
            self._stream(model, anthropic=self.path.endswith("/messages"))

    def _reply(self, status: int, body: bytes, more: dict[str, str] | None = None, start: bytes = b"") -> None:
        body = start + body if (more or {}).get("content-type") else body
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | (more or {})).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: str, *, anthropic: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has had enough
            self._events(model, anthropic)

    def _events(self, model: str, anthropic: bool) -> None:
        say = self._say_anthropic if anthropic else self._say_openai
        while model == "endless":
            say("and so on " * 100)
        while model == "silent":
            self.wfile.write(b": still thinking\n\ndata:\n\n" * 1_000)
        if model == "line":
            while True:
                self.wfile.write(b"x" * 65536)
        for number, piece in enumerate(ANSWERS.get(model, ANSWER)):
            say(piece)
            if model.startswith("held") and number == 0:
                STATE.release(model).wait()
            if model == "broken" and number == 0:
                return
        if model == "tool":
            self._event(
                {"choices": [{"delta": {"tool_calls": [{"function": {"name": "rm"}}]}, "finish_reason": "tool_calls"}]}
            )
        elif model == "error":
            self._event({"error": {"message": "overloaded", "type": "overloaded_error"}, "type": "error"})
        elif anthropic:
            self._event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
            self._event({"type": "message_stop"})
        elif model != "tail":
            reason = "length" if model == "length" else "stop"
            self._event({"choices": [{"delta": {}, "finish_reason": reason}]})
        if not anthropic:
            self.wfile.write(b"data: [DONE]\n\n")

    def _say_openai(self, text: str) -> None:
        self._event({"choices": [{"delta": {"content": text}, "finish_reason": None}]})

    def _say_anthropic(self, text: str) -> None:
        self._event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}})

    def _event(self, value: dict[str, Any]) -> None:
        self.wfile.write(b": keep-alive\n\ndata: " + json.dumps(value).encode() + b"\r\n\r\n")
        self.wfile.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()
