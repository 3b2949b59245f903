"""The address of an embeddings server, in one line, because one text names an encoder wherever one is named.

    http://gpu-box:8420                                   our own server, `c2llm serve-embeddings`: it says what it has
    https://api.openai.com/v1#text-embedding-3-small      any server of that kind, and which of its models
    http://localhost:11434/v1#nomic-embed-text&query=search_query: &passage=search_document:

Behind the # stand the model and, after &, what else decides about a vector: `query` and `passage` are put before the
texts (an instruction; %0A is a new line), `dimensions` asks for shorter vectors. `key` names the environment variable
that holds the key, if another than C2LLM_API_KEY. What is behind a # is never sent as part of an address.

A key has no place in it: addresses are stored beside vectors, shown and logged.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from retrieval.errors import ModelError

KEY_VARIABLE = "C2LLM_API_KEY"
HOW = "expected is http://HOST:PORT or https://HOST/v1#MODEL"
_OPTIONS = ("query", "passage", "dimensions", "key")
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1|.*\.localhost")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is, and what is asked of it."""

    url: str  # up to and with /v1, without a slash at the end
    model: str = ""  # empty: the one that the server has
    query: str = ""
    passage: str = ""
    dimensions: int = 0  # 0: as many as the model has
    key_variable: str = KEY_VARIABLE

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def local(self) -> bool:
        """Whether it is this machine: no proxy stands in between then."""
        return bool(_LOOPBACK.fullmatch(urlsplit(self.url).hostname or ""))

    @property
    def digest(self) -> str:
        """Of all that decides about a vector."""
        parts = (self.url, self.model, self.query, self.passage, str(self.dimensions))
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    def key(self) -> str:
        """The key from the environment, empty where there is none. Raises ModelError, which does not show it."""
        key = os.environ.get(self.key_variable, "").strip()
        if not re.fullmatch(r"[!-~]*", key):
            raise ModelError(f"{self.key_variable} holds characters that no key has: set it again.")
        return key


def parse(text: str) -> Address:
    """The address that a setting or option holds. Raises ModelError, which shows no secret."""
    place, _, rest = text.lstrip().rstrip("\r\n").partition("#")  # an instruction may end in a blank
    place = place.rstrip()
    if "@" in urlsplit_or_none(place):
        raise ModelError(f"An encoder's address cannot hold a user or password: put the key into {KEY_VARIABLE}.")
    try:
        parts = urlsplit(place)
        port = parts.port
    except ValueError as error:
        raise ModelError(f"'{shown(place)}' is no address ({error}): {HOW}.") from None
    if parts.query or not parts.hostname or port == 0 or re.search(r"[\s\x00-\x1f]", place):
        why = "it has a ?, and a key belongs into the environment" if parts.query else "it names no host"
        raise ModelError(f"'{shown(place)}' is no address of an embeddings server ({why}): {HOW}.")
    path = parts.path.rstrip("/").removesuffix("/embeddings")
    url = f"{parts.scheme.lower()}://{parts.netloc.lower()}{path or '/v1'}"
    model, *pairs = rest.split("&")
    return Address(url, unquote(model), **_options(pairs))  # type: ignore[arg-type]


def shown(place: str) -> str:
    """An address as it may be shown: without what follows a ?, which may be a key."""
    return place.partition("?")[0] + ("?…" if "?" in place else "")


def urlsplit_or_none(place: str) -> str:
    """The part that names the host, also of what is no address."""
    return place.partition("//")[2].partition("/")[0]


def _options(pairs: list[str]) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name not in _OPTIONS or not equals:
            raise ModelError(
                f"An encoder's address cannot hold '{name}' behind the #: known are {', '.join(_OPTIONS)}."
            )
        if name == "dimensions":
            if not re.fullmatch(r"[1-9][0-9]{0,4}", value):
                raise ModelError(f"An encoder's address has dimensions={value}: expected is a number, as 512.")
            found[name] = int(value)
        elif name == "key":
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
                raise ModelError("In an encoder's address key= is the name of an environment variable, not the key.")
            found["key_variable"] = value
        else:
            found[name] = unquote(value)
    return found
