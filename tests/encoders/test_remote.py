"""The client against all kinds of servers: correct, unusual, busy, slow, dead and replaced ones."""

from __future__ import annotations

import base64
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from c2llm_lsp.embeddings_server.app import Serving, application
from retrieval.encoders import OverlapEncoder, load
from retrieval.encoders.remote import RemoteEncoder, circuit_breaker, encoder
from retrieval.encoders.remote import client as http
from retrieval.errors import CancelledError, EncoderError, EncoderUnreachableError, ModelError
from tests.embeddings_server.serving import Running, Script, failed, good, ours, page, running, vector
from tests.patience import PATIENCE

TEXTS = [f"def function_{number}(argument): return {number}" for number in range(100)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and no memory of servers of other tests that had the same port."""
    monkeypatch.setattr(circuit_breaker, "PROBE_DELAYS", (0.05,))
    monkeypatch.setattr(encoder, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(circuit_breaker, "BREAKERS", {})
    monkeypatch.delenv("C2LLM_API_KEY", raising=False)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(script: Script) -> Iterator[Running]:
    with running(script.app()) as found:
        yield found


def remote(server: Running, options: str = "", **more: Any) -> RemoteEncoder:
    found = load(server.url + options, **more)
    assert isinstance(found, RemoteEncoder)
    return found


def expected(texts: list[str], dimension: int = 8) -> np.ndarray:
    rows = np.array([vector(text, dimension) for text in texts])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def looked_again(found: RemoteEncoder) -> None:
    """Wait until the thread that looks after a server that is down has found it up."""
    host = found.name.partition(" at ")[2]
    for thread in threading.enumerate():
        if thread.name == f"c2llm-server {host}":
            thread.join(PATIENCE)
    assert found.available


# -- good servers ---------------------------------------------------------------------------------------------------


def test_vectors_are_those_of_the_server_in_order_and_of_unit_length(server: Running) -> None:
    found = remote(server)
    np.testing.assert_allclose(found.encode_passages(TEXTS), expected(TEXTS), atol=1e-6)
    np.testing.assert_allclose(found.encode_queries(TEXTS[:3]), expected(TEXTS[:3]), atol=1e-6)
    assert found.encode_passages([]).shape == (0, 8)


def test_our_server_returns_the_vectors_of_its_encoder_and_distinguishes_queries() -> None:
    class Two(OverlapEncoder):
        def encode_queries(self, texts: Any) -> Any:
            return super().encode_queries([f"query {text}" for text in texts])

    with ours(Two()) as server:
        found = remote(server)
        np.testing.assert_allclose(found.encode_passages(TEXTS), Two().encode_passages(TEXTS), atol=1e-6)
        np.testing.assert_allclose(found.encode_queries(TEXTS), Two().encode_queries(TEXTS), atol=1e-6)
        assert found.dimension == 256


def test_the_fingerprint_names_endpoint_model_and_dimension(server: Running) -> None:
    found = remote(server)
    for part in (server.url, "m", "8"):
        assert part in found.fingerprint
    assert remote(server, "#m&query=q: ").fingerprint != found.fingerprint
    assert found.name == f"m at 127.0.0.1:{server.port}"


def test_foreign_servers_get_the_instructions_before_the_text(script: Script, server: Running) -> None:
    found = remote(server, "#m&query=find: &passage=code: ")
    script.asked.clear()
    found.encode_queries(["a"])
    found.encode_passages(["b"])
    assert script.texts == ["find: a", "code: b"]
    assert all("input_type" not in body for body in script.asked)


def test_vectors_out_of_order_are_sorted(script: Script, server: Running) -> None:
    found = remote(server)
    script.answers = [lambda body: good(body, 8, backwards=True)]
    np.testing.assert_allclose(found.encode_queries(TEXTS[:9]), expected(TEXTS[:9]), atol=1e-6)


def test_a_server_without_base64_is_asked_for_numbers(script: Script, server: Running) -> None:
    def strict(body: dict[str, Any]) -> Response:
        return failed(400, "encoding_format") if body.get("encoding_format") == "base64" else good(body, 8)

    script.answers = [strict] * 3
    np.testing.assert_allclose(remote(server).encode_queries(TEXTS[:2]), expected(TEXTS[:2]), atol=1e-6)


def test_dimensions_are_asked_for(script: Script, server: Running) -> None:
    script.dimension = 4
    assert remote(server, "#m&dimensions=4").dimension == 4
    assert script.asked[0]["dimensions"] == 4


def test_batches_end_by_count_and_by_characters(
    script: Script, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = remote(server)
    script.asked.clear()
    monkeypatch.setattr(encoder, "MAX_BATCH_CHARACTERS", 1_000)
    found.encode_passages([*TEXTS, "x" * 5_000])
    sizes = [(len(body["input"]), sum(map(len, body["input"]))) for body in script.asked]
    assert all(count <= encoder.MAX_TEXTS and (size <= 1_000 or count == 1) for count, size in sizes)
    assert max(count for count, _ in sizes) > 10


def test_a_batch_too_large_for_the_server_is_halved_and_remembered(script: Script, server: Running) -> None:
    found = remote(server)
    most = 4

    def small(body: dict[str, Any]) -> Response:
        return failed(413, f"at most {most}") if len(body["input"]) > most else good(body, 8)

    script.answers = [small] * 1_000
    np.testing.assert_allclose(found.encode_passages(TEXTS), expected(TEXTS), atol=1e-6)
    script.asked.clear()
    found.encode_passages(TEXTS)
    assert max(len(body["input"]) for body in script.asked) <= most


def test_a_text_that_is_too_long_is_truncated_until_accepted(script: Script, server: Running) -> None:
    found = remote(server)

    def short(body: dict[str, Any]) -> Response:
        return failed(400, "too many tokens") if len(body["input"][0]) > 8_000 else good(body, 8)

    script.answers = [short] * 20
    script.asked.clear()
    assert found.encode_passages(["word " * 1_000_000]).shape == (1, 8)
    assert 4_000 < len(script.texts[-1]) <= 8_000


def test_blank_text_and_text_that_is_not_utf8(script: Script, server: Running) -> None:
    found = remote(server)
    script.asked.clear()
    assert np.isfinite(found.encode_passages(["", "  \n", "a\ud800b", "\udfff"])).all()
    assert sorted(script.texts) == [".", ".", "?", "a?b"]
    with ours() as own:
        texts = ["", "a\ud800b", "word " * 1_000_000]
        vectors = remote(own).encode_passages(texts)
    np.testing.assert_allclose(vectors[:2], OverlapEncoder().encode_passages(["", "a?b"]), atol=1e-6)


def test_the_one_model_is_found_and_of_several_one_has_to_be_named(script: Script, server: Running) -> None:
    assert remote(server).name.startswith("m at")
    script.models = ["one", "two"]
    circuit_breaker.BREAKERS.clear()
    with pytest.raises(ModelError, match="It has one, two"):
        remote(server)
    assert remote(server, "#two").name.startswith("two at")


# -- strange answers ------------------------------------------------------------------------------------------------

NAN = base64.b64encode(np.full(8, np.nan, dtype="<f4").tobytes()).decode()


def embeddings(*vectors: Any) -> Response:
    return JSONResponse({"data": [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]})


@pytest.mark.parametrize(
    "answer, words",
    [
        (page(), "a web page"),
        (Response(b""), "other than a list of vectors"),
        (Response(b"\xff\xfe"), "other than a list of vectors"),
        (JSONResponse({"data": "none"}), "other than a list of vectors"),
        (JSONResponse({"data": []}), "0 vectors for 2 texts"),
        (embeddings([1.0] * 8), "1 vectors for 2 texts"),
        (embeddings([1.0] * 8, [1.0] * 7), "different lengths"),
        (embeddings([], []), "empty vectors"),
        (embeddings([0.0] * 8, [0.0] * 8), "nothing but zeros"),
        (embeddings([1e308] * 8, [1.0] * 8), "not numbers"),
        (embeddings(NAN, NAN), "not numbers"),
        (embeddings("AAAA", "AAAA"), "no float32"),
        (embeddings("????", "????"), "other than a list of vectors"),
        (JSONResponse({"data": [{"index": 0, "embedding": [1.0] * 8}] * 2}), "without an order"),
        (RedirectResponse("http://elsewhere.example/v1/embeddings"), "points elsewhere"),
        (failed(404, "no such model"), "check address and model"),
    ],
)
def test_an_invalid_response_is_reported(script: Script, server: Running, answer: Response, words: str) -> None:
    found = remote(server)
    for encode in (found.encode_queries, found.encode_passages):
        script.answers = [answer]
        with pytest.raises(EncoderError, match=words) as caught:
            encode(["a", "b"])
        assert not isinstance(caught.value, EncoderUnreachableError)
    assert len(found.encode_queries(["a"])) == 1  # and no more than that comes of it


def test_another_kind_of_server_is_reported_at_once(script: Script, server: Running) -> None:
    script.answers = [page()]
    with pytest.raises(EncoderError, match="check the encoder's address"):
        remote(server)


def test_an_endless_response_is_aborted(script: Script, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    found = remote(server)
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 1_000)
    script.answers = [Response(b" " * 100_000)]
    with pytest.raises(EncoderError, match="longer than"):
        found.encode_queries(["a"])


# -- busy, slow and dead servers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_retried(script: Script, server: Running, status: int) -> None:
    found = remote(server)
    script.answers = [failed(status), failed(status)]
    np.testing.assert_allclose(found.encode_passages(TEXTS[:2]), expected(TEXTS[:2]), atol=1e-6)


def test_retry_after_is_waited_for(script: Script, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    found = remote(server)
    waits: list[float] = []
    monkeypatch.setattr(encoder, "wait", lambda halt, seconds: bool(waits.append(seconds)))
    script.answers = [failed(429, retry_after="30")]
    found.encode_passages(["a"])
    assert len(waits) == 1
    assert 30 <= waits[0] <= 31  # and a part of a second, so that not all clients come at once


def test_a_date_in_retry_after_is_understood() -> None:
    assert http.retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert http.retry_after_seconds("Wed, 21 Oct 2065 07:28:00 GMT") == http.MAX_RETRY_SECONDS


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("nan", None),
        ("inf", http.MAX_RETRY_SECONDS),
        ("-5", 0.0),
        ("9" * 400, http.MAX_RETRY_SECONDS),
        ("Wed, 21 Oct 2065 07:28:00 +99999999999999999999", None),
        ("soon", None),
    ],
)
def test_a_hostile_retry_after_is_bounded(value: str, seconds: float | None) -> None:
    assert http.retry_after_seconds(value) == seconds


def test_a_wait_beyond_the_patience_is_an_outage_that_recovers(script: Script, server: Running) -> None:
    found = remote(server)
    script.answers = [failed(429, "slow down", retry_after="3600")]
    with pytest.raises(EncoderUnreachableError, match="answers 429: slow down"):
        found.encode_passages(["a"])
    looked_again(found)
    assert len(found.encode_passages(["a"])) == 1


def test_waiting_ends_when_stopped(script: Script, server: Running) -> None:
    found = remote(server)
    script.answers = [failed(503, retry_after="30")]
    with pytest.raises(CancelledError):
        found.encode_passages_until(["a"], lambda: not script.answers)


def test_a_query_does_not_wait_for_a_busy_server(script: Script, server: Running) -> None:
    found = remote(server)
    script.answers = [failed(429, retry_after="30")]
    with pytest.raises(EncoderUnreachableError):
        found.encode_queries(["a"])
    asked = len(script.asked)
    with pytest.raises(EncoderUnreachableError, match="slow"):
        found.encode_queries(["a"])
    assert len(script.asked) == asked  # it was not even asked
    assert len(found.encode_passages(["a"])) == 1


def test_a_hanging_server_delays_only_one_query(
    script: Script, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = remote(server)
    monkeypatch.setattr(encoder, "QUERY_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(circuit_breaker, "PROBE_SECONDS", 0.1)
    answers = threading.Event()
    script.answers = [lambda body: good(body, 8) if answers.wait(PATIENCE) else failed(500)]
    with pytest.raises(EncoderUnreachableError, match=r"did not answer within 0\.2 s"):
        found.encode_queries(["first"])
    for _ in range(100):
        with pytest.raises(EncoderUnreachableError):
            found.encode_queries(["next"])
        with pytest.raises(EncoderUnreachableError):
            found.encode_passages(["next"])
    answers.set()
    looked_again(found)
    assert script.texts.count("first") == 1
    assert "next" not in script.texts  # nothing but the looks of its own thread reached the server


def test_a_trickling_response_is_slow(script: Script, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.responses import StreamingResponse

    enough = threading.Event()

    def drops() -> Iterator[bytes]:
        while not enough.wait(0.05):
            yield b" "

    found = remote(server)
    monkeypatch.setattr(encoder, "QUERY_TIMEOUT_SECONDS", 0.2)
    script.answers = [lambda _: StreamingResponse(drops())]
    with pytest.raises(EncoderUnreachableError):  # though the answer has no end
        found.encode_queries(["a"])
    enough.set()


def test_a_dead_server_is_reported_at_once_and_rediscovered(server: Running) -> None:
    found = remote(server)
    server.stop()
    with pytest.raises(EncoderUnreachableError, match="cannot be reached") as caught:
        found.encode_passages(TEXTS)
    assert str(server.port) in str(caught.value)
    assert not found.available
    with pytest.raises(EncoderUnreachableError):
        found.encode_queries(["a"])
    server.start()
    looked_again(found)
    np.testing.assert_allclose(found.encode_passages(TEXTS), expected(TEXTS), atol=1e-6)


def test_a_connection_closed_while_idle_is_not_an_outage(server: Running) -> None:
    found = remote(server)
    found.encode_queries(["a"])
    server.stop()
    server.start()
    assert len(found.encode_queries(["a"])) == 1


def test_a_server_that_was_never_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(EncoderUnreachableError, match=f"127.0.0.1:{port} cannot be reached"):
        load(f"http://127.0.0.1:{port}", cache=tmp_path)


def test_a_cached_server_loads_while_it_is_down(server: Running, tmp_path: Path) -> None:
    before = remote(server, cache=tmp_path)
    server.stop()
    circuit_breaker.BREAKERS.clear()
    again = remote(server, cache=tmp_path)
    assert (again.fingerprint, again.dimension, again.name) == (before.fingerprint, before.dimension, before.name)
    with pytest.raises(EncoderUnreachableError):
        again.encode_queries(["a"])


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"url": "http://h/v1", "model": "m", "dimension": -1}'])
def test_an_unreadable_cache_is_replaced(server: Running, tmp_path: Path, content: str) -> None:
    remote(server, cache=tmp_path)
    (note,) = (tmp_path / "servers").iterdir()
    note.write_text(content)
    circuit_breaker.BREAKERS.clear()
    assert remote(server, cache=tmp_path).dimension == 8


def test_another_dimension_makes_another_encoder(script: Script, server: Running) -> None:
    found = remote(server)
    script.dimension = 16
    with pytest.raises(EncoderUnreachableError, match="another model"):
        found.encode_passages(["a"])
    looked_again(found)
    assert found.outdated
    fresh = remote(server)
    assert (fresh.dimension, fresh.outdated) == (16, False)
    assert fresh.fingerprint != found.fingerprint


def test_one_wrong_answer_does_not_make_another_encoder(script: Script, server: Running) -> None:
    found = remote(server)
    script.answers = [lambda body: good(body, 16)]
    with pytest.raises(EncoderUnreachableError, match="another model"):
        found.encode_passages(["a"])
    looked_again(found)
    assert not found.outdated
    assert len(found.encode_passages(["a"])) == 1


def test_another_model_of_the_same_dimension_is_noticed_behind_our_server() -> None:
    class Other(OverlapEncoder):
        fingerprint = "other"

    with ours(name="x") as server:
        found = remote(server)
        server.stop()
        server.app = application(Serving(Other(), "x"))  # one that runs nowhere else: it belongs to one event loop
        server.start()
        with pytest.raises(EncoderUnreachableError, match="another model"):
            found.encode_queries(["a"])
        looked_again(found)
        assert found.outdated
        assert remote(server).fingerprint.endswith(":other")


# -- the key --------------------------------------------------------------------------------------------------------


def test_the_key_is_sent_to_the_server_only(
    script: Script,
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("C2LLM_API_KEY", "sk-very-secret")
    found = remote(server, cache=tmp_path)
    assert script.headers[-1]["authorization"] == "Bearer sk-very-secret"
    script.answers = [failed(401, "no such key: sk-very-secret")]
    with pytest.raises(EncoderError, match="C2LLM_API_KEY") as caught:
        found.encode_queries(["a"])
    script.answers = [failed(400, "bad \x1b[31m request")]
    with pytest.raises(EncoderError) as other:
        found.encode_queries(["a"])
    assert "\x1b" not in str(other.value)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (str(caught.value), repr(found.__dict__), found.fingerprint, found.name, caplog.text, str(written)):
        assert "very-secret" not in text


def test_another_variable_may_hold_the_key(script: Script, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "mine")
    remote(server, "#m&key=MY_KEY")
    assert script.headers[-1]["authorization"] == "Bearer mine"


def test_no_proxy_is_used_for_this_machine(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert len(remote(server).encode_queries(["a"])) == 1
