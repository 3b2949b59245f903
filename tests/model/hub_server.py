"""A small server that speaks the hub's endpoints, for the real client: model information, the tree, files with ranges."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
NAME = "codefuse-ai/C2LLM-0.5B"


@dataclass
class Hub:
    """One model. `cut` closes the connection of each large file after so many bytes, `resets` resets so many connections of
    large files halfway, `refused` answers with that error code, `drops` closes the connection of the first request
    of each kind in place of an answer."""

    folder: Path
    address: str = ""
    requests: list[str] = field(default_factory=list)
    cut: int = 0
    resets: int = 0
    refused: str = ""
    damaged: bool = False
    drops: bool = False

    def file(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def facts(self, name: str) -> dict[str, Any]:
        content = self.file(name) or b""
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        found: dict[str, Any] = {
            "rfilename": name,
            "path": name,
            "type": "file",
            "size": len(content),
            "oid": blob,
            "blobId": blob,
        }
        if name.endswith((".safetensors", ".bin")):
            sha = hashlib.sha256(content).hexdigest()
            found["lfs"] = {"sha256": sha, "oid": sha, "size": len(content), "pointerSize": 130}
        return found

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def bytes_sent(self, name: str) -> int:
        return sum(int(line.split()[-1]) for line in self.requests if line.startswith("SENT ") and f" {name} " in line)


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            if hub.drops and hub.requests.count(f"{self.command} {path}") == 1:
                self.close_connection = True
                return
            if hub.refused:
                status = {"RepoNotFound": 404, "GatedRepo": 403}.get(hub.refused, 500)
                self._json({"error": hub.refused}, status, {"X-Error-Code": hub.refused})
            elif found := re.fullmatch(rf"/api/models/{NAME}(?:/(revision|tree)/([^/]+))?", path):
                self._information(found[1], found[2])
            elif found := re.fullmatch(rf"/{NAME}/resolve/([^/]+)/(.+)", path):
                self._file(found[2], with_body)
            else:
                self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

        def _information(self, what: str | None, revision: str | None) -> None:
            if revision not in (None, "main", "v1", COMMIT):
                self._json({"error": "Revision not found"}, 404, {"X-Error-Code": "RevisionNotFound"})
            elif what == "tree":
                self._json([hub.facts(name) for name in hub.names()])
            else:
                self._json({"id": NAME, "sha": COMMIT, "siblings": [hub.facts(name) for name in hub.names()]})

        def _file(self, name: str, with_body: bool) -> None:
            content = hub.file(name)
            if content is None:
                self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
                return
            facts = hub.facts(name)
            etag = facts["lfs"]["sha256"] if "lfs" in facts else facts["oid"]
            if hub.damaged and "lfs" in facts:
                content = bytes(len(content))
            start = int(found[1]) if (found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
            self.send_response(206 if start else 200)
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if not with_body:
                return
            body = content[start:]
            if hub.cut and "lfs" in facts:
                body = body[: hub.cut]
                self.close_connection = True
            reset = hub.resets > 0 and "lfs" in facts
            if reset:
                hub.resets -= 1
                body = body[: len(body) // 2]
            hub.requests.append(f"SENT {name} {start} {len(body)}")
            self.wfile.write(body)
            if reset:  # a socket that lingers for no time is closed with RST instead of FIN
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
                self.close_connection = True

        def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            for key, text in ({"Content-Type": "application/json", "X-Error-Message": "no"} | (headers or {})).items():
                self.send_header(key, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
