"""What the setting `llm` names."""

from __future__ import annotations

import pytest

from retrieval.errors import LanguageModelError
from retrieval.llm import language_model
from retrieval.llm.endpoint import ClassName, Endpoint, parse


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("openai:gpt-5", Endpoint("https://api.openai.com/v1", "openai", "gpt-5", "OPENAI_API_KEY")),
        ("anthropic:c-4", Endpoint("https://api.anthropic.com/v1", "anthropic", "c-4", "ANTHROPIC_API_KEY")),
        ("ollama:qwen3:8b", Endpoint("http://127.0.0.1:11434/v1", model="qwen3:8b")),
        ("http://LOCALHOST:8080", Endpoint("http://localhost:8080/v1")),
        ("https://h/x/v1/chat/completions#m&key=K", Endpoint("https://h/x/v1", model="m", key_variable="K")),
        ("http://h/v1#m&api=anthropic&max_tokens=9", Endpoint("http://h/v1", "anthropic", "m", max_tokens=9)),
        ("http://h/v1#m&temperature=0.2", Endpoint("http://h/v1", model="m", temperature=0.2)),
        ("a.b.C#m%26n&timeout=3", ClassName("a.b", "C", {"model": "m&n", "timeout": "3"})),
    ],
)  # fmt: skip
def test_a_setting_names_a_model(setting: str, named: Endpoint | ClassName) -> None:
    assert parse(setting) == named


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", "No language model is set"),
        ("gpt-5", "names no language model"),
        ("openai:", "names no model"),
        ("ftp://h/v1", "names no language model"),
        ("http://u:secret@h/v1", "no user or password"),
        ("http://h/v1?key=secret", "names no language model"),
        ("http://h/v1#m&key=sk-secret", "not the key"),
        ("http://h/v1#m&secret", "expected is NAME=VALUE"),
        ("http://h/v1#m&top_p=1", "has no option 'top_p'"),
        ("http://h/v1#m&temperature=hot", "are numbers"),
        ("no_such_package.of.Llm#m", "pip install no-such-package-of"),
        ("collections.OrderedDict", "is no llama-index LLM"),
    ],
)
def test_what_names_no_model_is_said_without_a_secret(setting: str, said: str) -> None:
    with pytest.raises(LanguageModelError, match=said) as raised:
        language_model(setting)
    assert "u:secret" not in str(raised.value) and "sk-secret" not in str(raised.value)


def test_a_llama_index_llm_is_named_by_its_class() -> None:
    model = language_model("llama_index.core.llms.mock.MockLLM#&max_tokens=2")
    assert "".join(model.stream([])) != ""
