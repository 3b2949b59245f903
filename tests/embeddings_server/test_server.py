"""The endpoint as OpenAI's clients know it, and what it does with everybody else."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import pytest

from c2llm_lsp.embeddings_server import batching
from c2llm_lsp.embeddings_server.app import MAX_TEXTS
from c2llm_lsp.embeddings_server.batching import Batcher, Overloaded
from retrieval.encoders import OverlapEncoder, load
from retrieval.encoders.protocol import Vectors
from retrieval.errors import EncoderError
from tests.embeddings_server.serving import Running, ours
from tests.patience import PATIENCE

CLIENTS = 50


class Instructed(OverlapEncoder):
    """Reads a query otherwise than a passage, and tells how often it was asked for how many texts."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[str, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.fails = False

    def encode_queries(self, texts: Any) -> Vectors:
        return self._noted("query", [f"question {text}" for text in texts])

    def encode_passages(self, texts: Any) -> Vectors:
        return self._noted("document", texts)

    def _noted(self, kind: str, texts: Any) -> Vectors:
        self.batches.append((kind, len(texts)))
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        if self.fails:
            raise EncoderError("The encoder broke, as the test wants it.")
        return self._encode(texts)


@pytest.fixture
def encoder() -> Instructed:
    return Instructed()


@pytest.fixture
def server(encoder: Instructed) -> Iterator[Running]:
    with ours(encoder, name="mini") as found:
        yield found
        encoder.gate.set()


def post(server: Running, body: Any, **headers: str) -> httpx2.Response:
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        return client.post(f"{server.url}/v1/embeddings", json=body, headers=headers)


def rows(response: httpx2.Response) -> np.ndarray:
    assert response.status_code == 200, response.text
    return np.array([item["embedding"] for item in response.json()["data"]], dtype=np.float32)


def error(response: httpx2.Response) -> dict[str, Any]:
    """The error of an answer, which has OpenAI's form."""
    found = response.json()
    assert set(found) == {"error"}
    assert {"message", "type", "param", "code"} == set(found["error"])
    return {"status": response.status_code, **found["error"]}


# -- OpenAI's interface ---------------------------------------------------------------------------------------------


def test_an_answer_has_openais_form(server: Running) -> None:
    found = post(server, {"model": "mini", "input": ["a b", "c"], "user": "me"}).json()
    assert found["object"] == "list" and found["model"] == "mini"
    assert [(item["object"], item["index"]) for item in found["data"]] == [("embedding", 0), ("embedding", 1)]
    assert all(isinstance(number, float) for number in found["data"][0]["embedding"])
    assert found["usage"]["total_tokens"] >= found["usage"]["prompt_tokens"] > 0


def test_one_text_is_as_good_as_a_list_and_base64_as_numbers(server: Running) -> None:
    one = rows(post(server, {"model": "mini", "input": "apply rules"}))
    packed = post(server, {"model": "mini", "input": ["apply rules"], "encoding_format": "base64"}).json()
    unpacked = np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), dtype="<f4")
    np.testing.assert_allclose(one[0], unpacked, atol=1e-6)
    np.testing.assert_allclose(one, OverlapEncoder().encode_passages(["apply rules"]), atol=1e-6)


def test_the_kind_of_text_is_said_by_a_field_or_by_the_models_name(server: Running, encoder: Instructed) -> None:
    text = "apply rules"
    as_query = encoder.encode_queries([text])
    for body in ({"model": "mini:query"}, {"model": "mini", "input_type": "query"}):
        np.testing.assert_allclose(rows(post(server, {**body, "input": text})), as_query, atol=1e-6)
    as_document = encoder.encode_passages([text])
    for body in ({"model": "mini"}, {"model": "mini:document"}, {"model": "mini:query", "input_type": "document"}):
        np.testing.assert_allclose(rows(post(server, {**body, "input": text})), as_document, atol=1e-6)


def test_the_list_of_models_says_what_there_is(server: Running) -> None:
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        (model,) = client.get(f"{server.url}/v1/models").json()["data"]
        assert (model["id"], model["object"]) == ("mini", "model")
        assert model["c2llm"]["dimension"] == 256 and model["c2llm"]["fingerprint"]
        assert client.get(f"{server.url}/v1/models/mini").json() == model
        assert client.get(f"{server.url}/v1/models/other").status_code == 404
        assert client.get(f"{server.url}/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    "body, status, param",
    [
        ({"input": "a"}, 400, None),
        ({"model": "mini"}, 400, None),
        ({"model": "mini", "input": []}, 400, "input"),
        ({"model": "mini", "input": [1, 2, 3]}, 400, "input"),
        ({"model": "mini", "input": [[1, 2], [3]]}, 400, "input"),
        ({"model": "mini", "input": ["a", 1]}, 400, "input"),
        ({"model": "mini", "input": {"a": 1}}, 400, None),
        ({"model": "mini", "input": ["a"] * (MAX_TEXTS + 1)}, 400, "input"),
        ({"model": "mini", "input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
        ({"model": "mini", "input": "a", "dimensions": 12}, 400, "dimensions"),
        ({"model": "mini", "input": "a", "input_type": "passage"}, 400, "input_type"),
        ({"model": "gpt", "input": "a"}, 404, "model"),
        ([1], 400, None),
    ],
)
def test_a_mistake_is_told_in_openais_form(server: Running, body: Any, status: int, param: str | None) -> None:
    found = error(post(server, body))
    assert (found["status"], found["param"], found["type"]) == (status, param, "invalid_request_error")


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"model": "mini", "input": "\\ud8',
        b'{"model": "mini", "input": ' + DEEP + b"}",
        b'{"model": "mini", "input": "a", "other": ' + DEEP + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_json_is_a_mistake(server: Running, body: bytes) -> None:
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        sent = client.post(f"{server.url}/v1/embeddings", content=body, headers={"content-type": "application/json"})
        assert error(sent)["status"] == 400


def test_other_addresses_and_methods_are_told_in_the_same_form(server: Running) -> None:
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        assert error(client.get(f"{server.url}/v1/chat/completions"))["status"] == 404
        assert error(client.get(f"{server.url}/v1/embeddings"))["status"] == 405


def test_empty_text_lone_surrogates_and_a_million_tokens_have_vectors(server: Running) -> None:
    body = json.dumps({"model": "mini", "input": ["", "a\ud800b", "word " * 1_000_000]}).encode()
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        sent = client.post(f"{server.url}/v1/embeddings", content=body, headers={"content-type": "application/json"})
    assert np.isfinite(rows(sent)).all() and len(rows(sent)) == 3


def test_a_body_beyond_all_measure_is_refused(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2llm_lsp.embeddings_server.app.MAX_BYTES", 1_000)
    assert error(post(server, {"model": "mini", "input": "a" * 2_000}))["status"] == 413


def test_an_encoder_that_breaks_is_an_error_of_the_server_and_no_end(
    server: Running, encoder: Instructed, caplog: pytest.LogCaptureFixture
) -> None:
    encoder.fails = True
    found = error(post(server, {"model": "mini", "input": "my secret code"}))
    assert (found["status"], found["type"]) == (500, "server_error")
    assert "secret code" not in caplog.text
    encoder.fails = False
    assert len(rows(post(server, {"model": "mini", "input": "a"}))) == 1


# -- who may ask ----------------------------------------------------------------------------------------------------


def test_a_key_has_to_be_shown_where_there_is_one() -> None:
    with ours(key="sk-mine", hosts=()) as server:
        body = {"model": "overlap", "input": "a"}
        for shown in (
            {},
            {"authorization": "Bearer sk-other"},
            {"authorization": "sk-mine"},
            {"authorization": "Bearer"},
        ):
            assert error(post(server, body, **shown))["status"] == 401
        assert post(server, body, authorization="Bearer sk-mine").status_code == 200
        with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
            assert client.get(f"{server.url}/v1/models").status_code == 401
            assert client.get(f"{server.url}/health").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_page_cannot_reach_this_machine_under_a_name_of_its_own(server: Running, host: str) -> None:
    assert post(server, {"model": "mini", "input": "a"}, host=host).status_code in (400, 403)
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        assert client.get(f"{server.url}/health", headers={"host": host}).status_code in (400, 403)


@pytest.mark.parametrize("form", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_page_can_send_without_asking_is_not_taken(server: Running, form: str) -> None:
    assert error(post(server, {"model": "mini", "input": "a"}, **{"content-type": form}))["status"] == 415


def test_names_of_this_machine_are_answered(server: Running) -> None:
    for host in ("localhost", f"127.0.0.1:{server.port}", "[::1]:80"):
        assert post(server, {"model": "mini", "input": "a"}, host=host).status_code == 200


# -- many at once ---------------------------------------------------------------------------------------------------


def test_fifty_clients_at_once_each_get_their_own_vectors(server: Running, encoder: Instructed) -> None:
    encoder.gate.clear()  # until some have asked
    texts = [[f"client {n} asks for thing {i}" for i in range(20)] for n in range(CLIENTS)]

    def ask(n: int) -> np.ndarray:
        body = {"model": f"mini:{'query' if n % 2 else 'document'}", "input": texts[n]}
        return rows(client.post(f"{server.url}/v1/embeddings", json=body))

    with ThreadPoolExecutor(CLIENTS) as pool, httpx2.Client(trust_env=False, timeout=PATIENCE) as client:

        def waiting() -> int:
            assert not any(answer.done() for answer in answers)
            return int(client.get(f"{server.url}/health").json()["waiting"])

        answers = [pool.submit(ask, 0)]
        assert encoder.begun.acquire(timeout=PATIENCE)
        answers.append(pool.submit(ask, 1))
        while not (one := waiting()):
            assert len(encoder.batches) == 1
        answers += [pool.submit(ask, n) for n in range(2, CLIENTS)]
        while waiting() < 2.5 * one:  # of three that wait two ask alike
            assert len(encoder.batches) == 1
        encoder.gate.set()
        found = [answer.result(PATIENCE) for answer in answers]
    own = Instructed()
    for n, given in enumerate(found):
        encode = own.encode_queries if n % 2 else own.encode_passages
        np.testing.assert_allclose(given, encode(texts[n]), atol=1e-6)
    assert sum(count for _, count in encoder.batches) == 20 * CLIENTS
    assert len(encoder.batches) < CLIENTS  # they were embedded together


@pytest.mark.slow
def test_fifty_of_our_clients_index_at_once(server: Running) -> None:
    remote = load(server.url)
    texts = [f"def function_{number}(): pass" for number in range(100)]
    expected = OverlapEncoder().encode_passages(texts)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for found in pool.map(lambda _: remote.encode_passages(texts), range(CLIENTS)):
            np.testing.assert_allclose(found, expected, atol=1e-6)


def gathered(encoder: Instructed, *asked: tuple[str, int]) -> list[tuple[str, int]]:
    """The batches that a batcher makes of requests that arrive while it is at work with one text."""

    async def ask() -> None:
        batcher = Batcher(encoder)
        encoder.gate.clear()
        first = asyncio.ensure_future(batcher.embed(["first"], "document"))
        await asyncio.to_thread(encoder.begun.acquire)
        waiting = [
            asyncio.ensure_future(batcher.embed([f"{i} {j}" for j in range(count)], kind))  # type: ignore[arg-type]
            for i, (kind, count) in enumerate(asked)
        ]
        await asyncio.sleep(0)
        encoder.gate.set()
        await asyncio.gather(first, *waiting)
        await batcher.close()

    asyncio.run(ask())
    return encoder.batches[1:]


def test_what_waits_is_embedded_together(encoder: Instructed) -> None:
    assert gathered(encoder, *[("document", 2)] * 10) == [("document", 20)]


def test_questions_go_first_but_do_not_keep_passages_out(encoder: Instructed) -> None:
    kinds = [kind for kind, _ in gathered(encoder, ("document", 5), ("query", 1), ("document", 5), ("query", 1))]
    assert kinds == ["query", "document"]


def test_a_large_request_does_not_hold_up_a_small_one(encoder: Instructed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "FIRST_COST", 100 * batching.TEXT_COST)
    monkeypatch.setattr(batching, "MAX_COST", 100 * batching.TEXT_COST)
    done: list[str] = []

    async def ask() -> None:
        batcher = Batcher(encoder)

        async def one(name: str, count: int) -> None:
            await batcher.embed([""] * count, "document")
            done.append(name)

        await asyncio.gather(one("large", 2_000), one("small", 10))
        await batcher.close()

    asyncio.run(ask())
    assert done == ["small", "large"]


def test_too_much_that_waits_is_refused_with_a_time_to_come_again(
    server: Running, encoder: Instructed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_WAITING", 1_000)
    encoder.gate.clear()
    body = {"model": "mini", "input": ["a" * 900]}
    with ThreadPoolExecutor(3) as pool, httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        kept = [pool.submit(post, server, body)]
        assert encoder.begun.acquire(timeout=PATIENCE)  # that one is being computed, the next one waits
        kept.append(pool.submit(post, server, body))
        while not client.get(f"{server.url}/health").json()["waiting"]:
            assert not any(answer.done() for answer in kept)
        sent = post(server, body)
        assert sent.headers["retry-after"] == "1"
        assert error(sent)["code"] == "overloaded"
        encoder.gate.set()
        assert all(answer.result(PATIENCE).status_code == 200 for answer in kept)


def test_what_nobody_waits_for_any_more_is_not_embedded(encoder: Instructed) -> None:
    async def ask() -> None:
        batcher = Batcher(encoder)
        encoder.gate.clear()
        busy = asyncio.ensure_future(batcher.embed(["busy"], "document"))
        await asyncio.to_thread(encoder.begun.acquire)
        await asyncio.sleep(0)
        left = asyncio.ensure_future(batcher.embed(["left"] * 100, "document"))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        encoder.gate.set()
        await busy
        await batcher.embed(["next"], "document")
        await batcher.close()
        assert batcher.waiting == 0

    asyncio.run(ask())
    assert sum(count for _, count in encoder.batches) < 100


def test_an_overloaded_batcher_says_so(encoder: Instructed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_WAITING", 100)

    async def ask() -> None:
        batcher = Batcher(encoder)
        encoder.gate.clear()
        taken = [asyncio.ensure_future(batcher.embed(["a" * 90], "document"))]
        await asyncio.to_thread(encoder.begun.acquire)
        taken.append(asyncio.ensure_future(batcher.embed(["a" * 90], "document")))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.embed(["a" * 90], "document")
        encoder.gate.set()
        await asyncio.gather(*taken)
        await batcher.close()

    asyncio.run(ask())
