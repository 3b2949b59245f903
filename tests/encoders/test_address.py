"""What one line says about a server, and what it may not hold."""

from __future__ import annotations

import pytest

from retrieval.encoders.remote import parse
from retrieval.errors import ModelError


@pytest.mark.parametrize(
    "text, url",
    [
        ("http://gpu-box:8420", "http://gpu-box:8420/v1"),
        ("HTTP://GPU-Box:8420/", "http://gpu-box:8420/v1"),
        ("https://api.openai.com/v1#m", "https://api.openai.com/v1"),
        ("https://host/openai/v1/embeddings", "https://host/openai/v1"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1"),
    ],
)
def test_the_address_ends_before_embeddings(text: str, url: str) -> None:
    assert parse(text).url == url


def test_model_and_options_stand_behind_the_hash() -> None:
    found = parse("http://h/v1#org/model&query=search_query: &passage=a%0Ab&dimensions=256&key=MY_KEY")
    assert (found.model, found.query, found.passage) == ("org/model", "search_query: ", "a\nb")
    assert (found.dimensions, found.key_variable) == (256, "MY_KEY")


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http:///v1",
        "http://h:99999",
        "http://h:0",
        "http://h h",
        "http://h/v1?api_key=sk-secret",
        "http://me:sk-secret@h/v1",
        "http://h#m&nonsense=1",
        "http://h#m&dimensions=many",
        "http://h#m&key=sk-secret",
    ],
)
def test_what_is_no_address_says_what_is_expected_and_shows_no_secret(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(text)
    assert "sk-secret" not in str(caught.value)


def test_whatever_decides_about_a_vector_changes_the_digest() -> None:
    texts = ["http://h#m", "http://h#n", "http://g#m", "http://h#m&query=q", "http://h#m&passage=q"]
    digests = {parse(text).digest for text in [*texts, "http://h#m&dimensions=2"]}
    assert len(digests) == 6
    assert parse("http://h#m&key=OTHER").digest == parse("http://h/v1/#m").digest


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_this_machine_is_known(host: str) -> None:
    assert parse(f"http://{host}:1/v1").local
    assert not parse("http://gpu-box:1").local


def test_a_key_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2LLM_API_KEY", "sk-secret\nsecond")
    with pytest.raises(ModelError, match="C2LLM_API_KEY") as caught:
        parse("http://h").key()
    assert "sk-secret" not in str(caught.value)
