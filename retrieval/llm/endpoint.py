"""Parses the setting `llm`: which language model, where, and with which options.

    openai:gpt-5                     OpenAI, with the key in OPENAI_API_KEY
    anthropic:claude-sonnet-4-5      Anthropic, with the key in ANTHROPIC_API_KEY
    ollama:qwen3                     Ollama on this machine
    http://127.0.0.1:8080/v1         any server with OpenAI's chat API, as llama.cpp and vLLM; #MODEL where it has several
    llama_index.llms.mistralai.MistralAI#mistral-large-latest      any llama-index LLM that is installed

Behind the model follow options, separated by &: `key` names the environment variable with the API key, `api=anthropic` is for a
server with Anthropic's API, `max_tokens` and `temperature` are sent along. A llama-index LLM takes any of its own arguments.
The setting holds no key: it is shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from retrieval.encoders.remote.address import authority_of, redacted
from retrieval.errors import LanguageModelError

Api = Literal["openai", "anthropic"]
KEY_VARIABLE = "C2LLM_LLM_API_KEY"
EXAMPLES = "openai:MODEL, anthropic:MODEL, ollama:MODEL, http://HOST:PORT/v1#MODEL"
# name -> address, API, variable of the key
PROVIDERS: dict[str, tuple[str, Api, str]] = {
    "openai": ("https://api.openai.com/v1", "openai", "OPENAI_API_KEY"),
    "anthropic": ("https://api.anthropic.com/v1", "anthropic", "ANTHROPIC_API_KEY"),
    "ollama": ("http://127.0.0.1:11434/v1", "openai", KEY_VARIABLE),
}
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1|.*\.localhost")
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with a chat API."""

    url: str  # up to and including /v1, without a trailing slash
    api: Api = "openai"
    model: str = ""  # empty: the server's only model
    key_variable: str = KEY_VARIABLE
    max_tokens: int = 0  # 0: as many as the server gives
    temperature: float | None = None  # None: the server's own; some models allow no other

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def local(self) -> bool:
        """Whether it is this machine: then no proxy is used."""
        return bool(_LOOPBACK.fullmatch(urlsplit(self.url).hostname or ""))

    def key(self) -> str:
        """The key from the environment, empty if unset. Raises LanguageModelError, which does not show it."""
        key = os.environ.get(self.key_variable, "").strip()
        if not re.fullmatch(r"[!-~]*", key):
            raise LanguageModelError(
                f"{self.key_variable} contains characters that are invalid in a key: set it again."
            )
        return key


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of llama-index, by its full name, and the arguments it is made with."""

    module: str
    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)


def parse(setting: str) -> Endpoint | ClassName:
    """What the setting names. Raises LanguageModelError, which shows no secret."""
    base, _, rest = setting.strip().partition("#")
    provider, colon, model = base.partition(":")
    if colon and provider.lower() in PROVIDERS and not model.startswith("//"):
        url, api, key = PROVIDERS[provider.lower()]
        name, *pairs = model.split("&")
        if not name or rest:
            raise LanguageModelError(f"'{provider}:' names no model: expected is {provider}:MODEL.")
        return _with_options(Endpoint(url, api, unquote(name), key), pairs)
    model, *pairs = rest.split("&") if rest else [""]
    if _CLASS.fullmatch(base):
        module, _, name = base.rpartition(".")
        named = {"model": unquote(model)} if model else {}
        return ClassName(module, name, named | {key: unquote(value) for key, value in map(_pair, pairs)})
    return _with_options(Endpoint(_url(base), model=unquote(model)), pairs)


def _url(base: str) -> str:
    if "@" in authority_of(base):
        raise LanguageModelError(
            f"The address of a language model holds no user or password: put the key into {KEY_VARIABLE}."
        )
    try:
        parts = urlsplit(base)
        invalid = parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        invalid = True
    if invalid or parts.query or re.search(r"[\s\x00-\x1f]", base):
        raise LanguageModelError(f"'{redacted(base)}' names no language model: expected is one of {EXAMPLES}.")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/messages")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path or '/v1'}"


def _with_options(endpoint: Endpoint, pairs: list[str]) -> Endpoint:
    options = {name: unquote(value) for name, value in map(_pair, pairs)}
    if unknown := sorted(set(options) - {"key", "api", "max_tokens", "temperature"}):
        raise LanguageModelError(
            f"A language model has no option '{unknown[0]}': known are key, api, max_tokens, temperature."
        )
    key = options.get("key", endpoint.key_variable)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
        raise LanguageModelError("key= is the name of an environment variable, not the key.")
    api = options.get("api", endpoint.api)
    if api not in ("openai", "anthropic"):
        raise LanguageModelError("api= is openai or anthropic.")
    tokens, temperature = options.get("max_tokens", "0"), options.get("temperature")
    if not re.fullmatch(r"[0-9]{1,7}", tokens) or (
        temperature and not re.fullmatch(r"[0-9](\.[0-9]{1,6})?", temperature)
    ):
        raise LanguageModelError("max_tokens= and temperature= are numbers, as in max_tokens=2000&temperature=0.2.")
    return Endpoint(
        endpoint.url,
        "anthropic" if api == "anthropic" else "openai",
        endpoint.model,
        key,
        int(tokens),
        float(temperature) if temperature else None,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise LanguageModelError(f"'{text}' behind a language model is no option: expected is NAME=VALUE.")
    return name, value
