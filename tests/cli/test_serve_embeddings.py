"""`c2llm serve-embeddings` as a process: who it serves, how it starts and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest

from retrieval.encoders import OverlapEncoder, load
from retrieval.encoders.remote import encoder
from tests.cli.program import Program
from tests.patience import PATIENCE


@contextmanager
def serving(c2llm: Program, *options: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address that it announces."""
    process = c2llm.start("serve-embeddings", *options, **environ)
    assert process.stderr and process.stdin and process.stdout
    try:
        line = process.stderr.readline()
        assert "http://" in line, line + process.stderr.read()
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.communicate()


def test_it_serves_the_encoder_of_the_settings_and_ends_by_a_signal(c2llm: Program) -> None:
    with serving(c2llm, "--port", "0") as (process, url):
        found = load(url)
        np.testing.assert_allclose(found.encode_queries(["a b"]), OverlapEncoder().encode_queries(["a b"]), atol=1e-6)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in err


@pytest.mark.slow
def test_what_is_under_way_when_it_is_told_to_stop_is_answered(c2llm: Program) -> None:
    """A request whose body comes in two halves is under way for certain when the signal is sent."""
    with serving(c2llm, "--port", "0") as (process, url):
        host, port = httpx2.URL(url).host, httpx2.URL(url).port
        body = b'{"model": "overlap", "input": "a b"}'
        head = f"POST /v1/embeddings HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        with socket.create_connection((host, port or 0), timeout=PATIENCE) as client:
            client.sendall(f"{head}content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n".encode())
            assert b"100 Continue" in client.recv(1_000)  # it reads the body
            process.send_signal(signal.SIGINT)
            while _takes(host, port or 0):
                pass
            client.sendall(body)
            answer = b""
            while part := client.recv(65_536):
                answer += part
        assert b"200 OK" in answer and b"embedding" in answer
        process.communicate(timeout=PATIENCE)


def _takes(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def test_the_network_is_served_only_with_a_key(c2llm: Program) -> None:
    done = c2llm("serve-embeddings", "--host", "0.0.0.0", "--port", "0")
    assert done.code == 2
    assert "C2LLM_API_KEY" in done.err and "--without-key" in done.err


def test_a_key_is_needed_and_never_printed(c2llm: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(c2llm, "--host", "0.0.0.0", "--port", "0", C2LLM_API_KEY="sk-secret") as (process, url):
        port = httpx2.URL(url).port
        here = f"http://127.0.0.1:{port}/v1"
        with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
            assert client.get(f"{here}/models").status_code == 401
            assert client.get(f"{here}/models", headers={"authorization": "Bearer sk-secret"}).status_code == 200
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE)
        assert "sk-secret" not in out + err


def test_a_taken_port_is_an_error_that_names_it(c2llm: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = c2llm("serve-embeddings", "--port", port)
    assert done.code == 2
    assert port in done.err


def test_an_encoder_that_there_is_not_is_an_error(c2llm: Program) -> None:
    done = c2llm("serve-embeddings", "--encoder", "no-such-model")
    assert done.code == 2
    assert "no-such-model" in done.err


@pytest.mark.slow
def test_the_embedded_model_serves_fifty_clients_at_once(c2llm: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "QUERY_TIMEOUT_SECONDS", PATIENCE)  # on a busy machine fifty at once take their time
    own = load("embedded")
    texts = [f"def function_{number}(path): return open(path).read({number})" for number in range(64)]
    expected, started = own.encode_passages(texts), threading.Barrier(50)
    with serving(c2llm, "--port", "0", "--encoder", "embedded") as (_, url):
        remote = load(url)

        def ask(number: int) -> np.ndarray:
            started.wait(PATIENCE)
            return remote.encode_queries(["read a file"]) if number % 2 else remote.encode_passages(texts)

        with ThreadPoolExecutor(50) as pool:
            for number, found in enumerate(pool.map(ask, range(50))):
                wanted = own.encode_queries(["read a file"]) if number % 2 else expected
                # Rows of an int8 model depend a little on what else is in their batch.
                assert ((found * wanted).sum(axis=1) > 0.999).all()


def test_without_its_extra_it_says_what_to_install(c2llm: Program, tmp_path: Path) -> None:
    for module in ("starlette", "httpx2"):
        (tmp_path / f"{module}.py").write_text("raise ImportError('not installed')\n")
    path = f"{tmp_path}:{c2llm.environment()['PYTHONPATH']}"
    done = c2llm("serve-embeddings", environ={"PYTHONPATH": path})
    assert (done.code, "pip install 'c2llm-lsp[serve]'" in done.err) == (2, True)
    done = c2llm("search", "x", tmp_path, environ={"PYTHONPATH": path, "C2LLM_ENCODER": "http://127.0.0.1:1"})
    assert (done.code, "pip install 'c2llm-lsp[remote]'" in done.err) == (2, True)
