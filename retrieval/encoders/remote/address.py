"""Parses the address of an embeddings server: a single string, because encoders are named by one string everywhere.

    http://gpu-box:8420                                   our own server, `c2llm serve-embeddings`: it says what it has
    https://api.openai.com/v1#text-embedding-3-small      any server of that kind, and which of its models
    http://localhost:11434/v1#nomic-embed-text&query=search_query: &passage=search_document:

After the # follow the model and, separated by &, the options that affect vectors: `query` and `passage` are prefixes of the
texts (instructions; %0A is a newline), `dimensions` requests shorter vectors. `key` names the environment variable with
the API key, if not C2LLM_API_KEY. The part after the # is never sent.

Addresses contain no key: they are stored with vectors, shown and logged.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from retrieval.errors import ModelError

KEY_VARIABLE = "C2LLM_API_KEY"
EXPECTED_FORM = "expected is http://HOST:PORT or https://HOST/v1#MODEL"
_OPTIONS = ("query", "passage", "dimensions", "key")
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1|.*\.localhost")


@dataclass(frozen=True, slots=True)
class Address:
    """The server's URL and the options of requests."""

    url: str  # up to and including /v1, without a trailing slash
    model: str = ""  # empty: the server's only model
    query: str = ""
    passage: str = ""
    dimensions: int = 0  # 0: the model's own dimension
    key_variable: str = KEY_VARIABLE

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def local(self) -> bool:
        """Whether it is this machine: then no proxy is used."""
        return bool(_LOOPBACK.fullmatch(urlsplit(self.url).hostname or ""))

    @property
    def digest(self) -> str:
        """A hash of everything that affects a vector."""
        parts = (self.url, self.model, self.query, self.passage, str(self.dimensions))
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    def key(self) -> str:
        """The key from the environment, empty if unset. Raises ModelError, which does not show it."""
        key = os.environ.get(self.key_variable, "").strip()
        if not re.fullmatch(r"[!-~]*", key):
            raise ModelError(f"{self.key_variable} contains characters that are invalid in a key: set it again.")
        return key


def parse(text: str) -> Address:
    """Parse the address in a setting or option. Raises ModelError, which shows no secret."""
    base, _, rest = text.lstrip().rstrip("\r\n").partition("#")  # an instruction may end in a space
    base = base.rstrip()
    if "@" in authority_of(base):
        raise ModelError(f"An encoder's address cannot hold a user or password: put the key into {KEY_VARIABLE}.")
    try:
        parts = urlsplit(base)
        port = parts.port
    except ValueError as error:
        raise ModelError(f"'{redacted(base)}' is no address ({error}): {EXPECTED_FORM}.") from None
    if parts.query or not parts.hostname or port == 0 or re.search(r"[\s\x00-\x1f]", base):
        why = "it has a ?, and a key belongs into the environment" if parts.query else "it names no host"
        raise ModelError(f"'{redacted(base)}' is no address of an embeddings server ({why}): {EXPECTED_FORM}.")
    path = parts.path.rstrip("/").removesuffix("/embeddings")
    url = f"{parts.scheme.lower()}://{parts.netloc.lower()}{path or '/v1'}"
    model, *pairs = rest.split("&")
    return Address(url, unquote(model), **_options(pairs))  # type: ignore[arg-type]


def redacted(base: str) -> str:
    """An address safe to show: without the query string, which may contain a key."""
    return base.partition("?")[0] + ("?…" if "?" in base else "")


def authority_of(base: str) -> str:
    """The part with the host, also of an invalid address."""
    return base.partition("//")[2].partition("/")[0]


def _options(pairs: list[str]) -> dict[str, str | int]:
    options: dict[str, str | int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name not in _OPTIONS or not equals:
            raise ModelError(
                f"An encoder's address cannot hold '{name}' behind the #: known are {', '.join(_OPTIONS)}."
            )
        if name == "dimensions":
            if not re.fullmatch(r"[1-9][0-9]{0,4}", value):
                raise ModelError(f"An encoder's address has dimensions={value}: expected is a number, as 512.")
            options[name] = int(value)
        elif name == "key":
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
                raise ModelError("In an encoder's address key= is the name of an environment variable, not the key.")
            options["key_variable"] = value
        else:
            options[name] = unquote(value)
    return options
