"""The pages on editors, and the pieces of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import CHECKOUT

FOLDER = CHECKOUT / "docs" / "editors"
PAGES = tuple(sorted(page for page in FOLDER.glob("*.md") if page.stem != "index"))
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A piece of code between fences."""

    language: str
    code: str


def text(page: Path | str) -> str:
    return (FOLDER / page).read_text(encoding="utf-8")


def blocks(page: Path | str, language: str = "") -> list[Block]:
    """The pieces of code of a page, in order; of one language where it is named."""
    found = [Block(name, code) for name, code in _FENCED.findall(text(page))]
    return [block for block in found if language in ("", block.language)]


def code_of(page: Path | str) -> list[str]:
    """Everything of a page that is set as code: fenced, indented by four, or between backticks in a line."""
    whole = text(page)
    plain = _FENCED.sub("", whole)
    indented = [line.strip() for line in plain.splitlines() if line.startswith("    ")]
    return [*(block.code for block in blocks(page)), *indented, *_SPAN.findall(plain)]
