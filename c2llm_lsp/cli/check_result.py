"""What a check of `c2llm doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to type next where something can be done."""

    name: str
    state: State
    text: str
    todo: str = ""
