"""Any llama-index LLM as a ChatModel: one that somebody has, or one that the setting names by its class."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from retrieval.encoders.remote.client import sanitize
from retrieval.errors import LanguageModelError, MissingExtraError
from retrieval.files import mask_tokens
from retrieval.llm.endpoint import ClassName
from retrieval.llm.types import MAX_ANSWER_CHARS, Message

try:
    from llama_index.core.llms import LLM, ChatMessage
except ImportError as error:
    raise MissingExtraError("A llama-index LLM", "rag") from error


class LlamaIndexModel:
    """Asks an LLM of llama-index; its exceptions, whatever they are, become a LanguageModelError."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    @property
    def name(self) -> str:
        return sanitize(self._llm.metadata.model_name) or type(self._llm).__name__

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """As in ChatModel."""
        size = 0
        try:
            for part in self._llm.stream_chat([ChatMessage(role=one.role, content=one.text) for one in messages]):
                size += len(part.delta or "")
                if size > MAX_ANSWER_CHARS:
                    raise LanguageModelError(
                        f"The language model {self.name} does not end its answer; it was ended after "
                        f"{MAX_ANSWER_CHARS:,} characters."
                    )
                if part.delta:
                    yield part.delta
        except LanguageModelError:
            raise
        except Exception as error:
            raise _failure(self.name, error) from error


def load(name: ClassName) -> LlamaIndexModel:
    """The LLM of a class that is installed. Raises LanguageModelError."""
    full = f"{name.module}.{name.name}"
    try:
        found = getattr(import_module(name.module), name.name, None)
    except ImportError as error:
        package = "-".join(name.module.split(".")[:3]).replace("_", "-")
        raise LanguageModelError(f"{full} cannot be imported ({error}): pip install {package}") from None
    if not (isinstance(found, type) and issubclass(found, LLM)):
        raise LanguageModelError(f"{full} is no llama-index LLM.")
    try:
        return LlamaIndexModel(found(**_arguments(name.arguments)))
    except Exception as error:
        raise _failure(full, error) from error


def _arguments(texts: Mapping[str, str]) -> dict[str, Any]:
    """Numbers, booleans and null as such, all else as text."""
    out: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        out[name] = text if isinstance(value, (list, dict)) or name == "model" else value
    return out


def _failure(name: str, error: Exception) -> LanguageModelError:
    said = sanitize(mask_tokens(str(error)))
    return LanguageModelError(f"The language model {name} fails: {type(error).__name__}{f': {said}' if said else ''}")
