"""Tokens by a model's own tokenizer, without the network."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiktoken

from retrieval.errors import QueryError
from retrieval.rag import estimate_tokens, token_count


def test_the_estimate_is_what_is_used_if_nothing_else_is_named() -> None:
    counter = token_count.token_count("estimate")
    assert (counter.name, counter.count("a b")) == ("estimate", estimate_tokens("a b"))


def test_a_model_is_counted_by_its_vocabulary_and_special_tokens_are_text() -> None:
    counter = token_count.token_count("gpt-4")
    assert counter.name == "cl100k_base"
    assert counter.count("def run():\n    pass") == 5
    assert counter.count("<|endoftext|>") > 1


def test_a_vocabulary_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_count, "_folder_with", lambda _: None)
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: pytest.fail("it would be fetched"))
    with pytest.raises(QueryError, match="nothing is downloaded without you"):
        token_count.token_count("gpt-4")


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(QueryError, match="cannot be read as a tokenizer"):
        token_count.token_count(str(tmp_path))
