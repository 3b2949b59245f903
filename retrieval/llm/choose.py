"""The language model that a setting names."""

from __future__ import annotations

from retrieval.errors import LanguageModelError
from retrieval.llm.endpoint import EXAMPLES, Endpoint, parse
from retrieval.llm.types import ChatModel

NOT_SET = f"No language model is set. Set C2LLM_LLM, or llm in your config file, to one of {EXAMPLES}."


def language_model(setting: str) -> ChatModel:
    """Nothing is asked yet. Raises LanguageModelError for a setting that names none."""
    if not setting.strip():
        raise LanguageModelError(NOT_SET)
    named = parse(setting)
    if isinstance(named, Endpoint):
        from retrieval.llm.client import EndpointModel

        return EndpointModel(named)
    from retrieval.llm.llama_index import load

    return load(named)
