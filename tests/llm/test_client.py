"""Answers of a real server process over HTTP: streamed, broken off, refused, garbage, without an end."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from retrieval.errors import LanguageModelError
from retrieval.llm import Message, client, language_model
from tests.llm.running import ScriptedServer
from tests.llm.server import ANSWER

MESSAGES = [Message("system", "be brief"), Message("user", "why \ud800")]
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2LLM_LLM_API_KEY", KEY)


@pytest.mark.parametrize("script", ["good", "tail", "whole"])
def test_an_answer_comes_in_the_pieces_that_were_sent(server: ScriptedServer, script: str) -> None:
    pieces = list(language_model(server.llm(script)).stream(MESSAGES))
    assert pieces == (["".join(ANSWER)] if script == "whole" else ANSWER)
    (asked,) = server.asked()
    assert asked["headers"]["authorization"] == f"Bearer {KEY}"
    assert asked["body"]["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "why ?"},
    ]
    assert "temperature" not in asked["body"] and "max_tokens" not in asked["body"]


def test_a_piece_is_given_before_the_next_one_is_sent(server: ScriptedServer) -> None:
    held = server.held()
    with closing(language_model(held.llm).stream(MESSAGES)) as stream:
        assert next(stream) == ANSWER[0]
        held.release()
        assert list(stream) == ANSWER[1:]


def test_anthropics_api_is_spoken_too(server: ScriptedServer) -> None:
    setting = server.llm("good", options="&api=anthropic&temperature=0.5")
    assert list(language_model(setting).stream(MESSAGES)) == ANSWER
    (asked,) = server.asked()
    assert asked["path"] == "/v1/messages" and asked["headers"]["x-api-key"] == KEY
    assert "authorization" not in asked["headers"]
    body = asked["body"]
    assert (body["system"], body["max_tokens"], body["temperature"]) == ("be brief", 4096, 0.5)
    assert body["messages"] == [{"role": "user", "content": "why ?"}]
    with pytest.raises(LanguageModelError, match=r"reports an error\. It says: overloaded"):
        list(language_model(server.llm("error", options="&api=anthropic")).stream(MESSAGES))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("401", r"does not take the key in C2LLM_LLM_API_KEY \(401\). It says: no \[31mBearer …"),
        ("404", r"does not know 404: check model and address"),
        ("429", r"try again in 7 s \(429\)"),
        ("500", r"fails with 500. It says"),
        ("redirect", r"points elsewhere, to http://127.0.0.1:1/v1"),
        ("broken", r"broke off: the answer is not complete"),
        ("length", r"limit of tokens: the answer is not complete"),
        ("tool", r"wants to call a tool; c2llm offers none, and nothing was run"),
        ("error", r"reports an error. It says: overloaded"),
        ("empty", r"gave an empty answer"),
        ("page", r"does not answer as OpenAI's chat API does"),
        ("json", r"does not answer as OpenAI's chat API does"),
        ("list", r"does not answer as OpenAI's chat API does"),
        ("bytes", r"does not answer as OpenAI's chat API does"),
        ("endless", r"does not end its answer"),
        ("silent", r"does not end its answer"),
        ("compressed", r"answers compressed, which it was not asked for"),
        ("line", r"sends a line longer than 1 MB"),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence_without_the_key(
    server: ScriptedServer, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_STREAM_BYTES", 1 << 22)
    with pytest.raises(LanguageModelError, match=said) as raised:
        for _ in language_model(server.llm(script)).stream(MESSAGES):
            pass
    text = str(raised.value)
    assert KEY not in text and "\x1b" not in text and text.startswith("The language model at 127.0.0.1:")


def test_a_server_without_a_key_of_ours_says_which_to_set(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("C2LLM_LLM_API_KEY")
    with pytest.raises(LanguageModelError, match="wants a key: set C2LLM_LLM_API_KEY"):
        list(language_model(server.llm("401")).stream(MESSAGES))


def test_the_only_model_of_a_server_need_not_be_named(server: ScriptedServer) -> None:
    one = f"http://127.0.0.1:{server.port}/one/v1"
    assert list(language_model(one).stream(MESSAGES)) == ANSWER
    with pytest.raises(LanguageModelError, match=r"has 2 models; name one behind a #. It has: good, other \[31m"):
        list(language_model(one.replace("one", "two")).stream(MESSAGES))


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        setting = f"http://127.0.0.1:{unused.getsockname()[1]}/v1#m"
        with pytest.raises(LanguageModelError, match="cannot be reached: does it run"):
            list(language_model(setting).stream(MESSAGES))
