"""OpenAI's and Anthropic's chat APIs: what is sent, and what an event of their streams says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from retrieval.llm.endpoint import Endpoint
from retrieval.llm.types import Message

ANTHROPIC_VERSION = "2023-06-01"
ANTHROPIC_MAX_TOKENS = 4_096  # its API demands a limit; an answer with citations has some hundred

Finish = Literal["", "stop", "length", "tool", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """What one event, or a whole answer, says. `finish` is empty as long as more comes."""

    text: str = ""
    finish: Finish = ""
    error: str = ""


NOTHING = Event()


@dataclass(frozen=True, slots=True)
class Wire:
    """One API. `read` takes a decoded JSON object and gives None where it is none of this API."""

    path: str
    headers: Callable[[str], dict[str, str]]
    body: Callable[[Endpoint, str, Sequence[Message]], dict[str, Any]]
    read: Callable[[Any], Event | None]


def encode(body: dict[str, Any]) -> bytes:
    """JSON; half of a surrogate pair, which neither has a form in UTF-8, becomes a question mark."""
    text = str(msgspec.json.encode(_clean(body)), "utf-8")
    return text.encode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _clean(inner) for name, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def _openai_headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _openai_body(endpoint: Endpoint, model: str, messages: Sequence[Message]) -> dict[str, Any]:
    sent = [{"role": message.role, "content": message.text} for message in messages]
    return {"model": model, "messages": sent, "stream": True} | _limits(endpoint, 0)


def _openai_read(value: Any) -> Event | None:
    if not isinstance(value, dict):
        return None
    if "error" in value:
        return Event(finish="error", error=_error_text(value["error"]))
    choices = value.get("choices")
    if not isinstance(choices, list):
        return None
    if not choices:  # the last event of some servers has the usage alone
        return NOTHING
    choice = choices[0] if isinstance(choices[0], dict) else {}
    part = choice.get("delta") or choice.get("message") or {}
    if not isinstance(part, dict):
        return None
    text = part.get("content") or ""
    reason = choice.get("finish_reason")
    finish: Finish = ""
    if part.get("tool_calls") or reason in ("tool_calls", "function_call"):
        finish = "tool"
    elif reason:
        finish = "length" if reason == "length" else "stop"
    return Event(text, finish) if isinstance(text, str) else None


def _anthropic_headers(key: str) -> dict[str, str]:
    return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": key} if key else {})


def _anthropic_body(endpoint: Endpoint, model: str, messages: Sequence[Message]) -> dict[str, Any]:
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    sent = [{"role": message.role, "content": message.text} for message in messages if message.role != "system"]
    return {"model": model, "system": system, "messages": sent, "stream": True} | _limits(
        endpoint, ANTHROPIC_MAX_TOKENS
    )


def _anthropic_read(value: Any) -> Event | None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "error":
        return Event(finish="error", error=_error_text(value.get("error")))
    if kind == "message":  # an answer that is not streamed
        parts = [part for part in value.get("content") or () if isinstance(part, dict)]
        text = "".join(part["text"] for part in parts if isinstance(part.get("text"), str))
        return Event(text, _anthropic_finish(value.get("stop_reason")) or "stop")
    if kind in ("content_block_delta", "message_delta"):
        delta = value.get("delta")
        if not isinstance(delta, dict):
            return None
        part = delta.get("text") if delta.get("type") == "text_delta" else ""
        return Event(part if isinstance(part, str) else "", _anthropic_finish(delta.get("stop_reason")))
    return NOTHING if isinstance(kind, str) else None


def _anthropic_finish(reason: object) -> Finish:
    if not reason:
        return ""
    return "tool" if reason == "tool_use" else "length" if reason == "max_tokens" else "stop"


def _limits(endpoint: Endpoint, most: int) -> dict[str, Any]:
    tokens = endpoint.max_tokens or most
    limits: dict[str, Any] = {"max_tokens": tokens} if tokens else {}
    return limits if endpoint.temperature is None else limits | {"temperature": endpoint.temperature}


def _error_text(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""


OPENAI = Wire("/chat/completions", _openai_headers, _openai_body, _openai_read)
ANTHROPIC = Wire("/messages", _anthropic_headers, _anthropic_body, _anthropic_read)
