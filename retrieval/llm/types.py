"""What a conversation with a language model is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

MAX_ANSWER_CHARS = 400_000  # some 100,000 tokens: more than models write; then an answer is ended
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    text: str


class ChatModel(Protocol):
    """A language model. Closing the iterator ends the request."""

    @property
    def name(self) -> str:
        """The model and where it is, for people; without a key."""

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The answer, piece by piece. Raises LanguageModelError, also after some pieces: the answer is not complete then."""
