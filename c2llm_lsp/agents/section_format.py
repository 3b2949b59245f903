"""Markdown files: one section between two comments, which no reader sees."""

from __future__ import annotations

from c2llm_lsp.agents.errors import ConfigError
from c2llm_lsp.agents.places import EntryPath

BEGIN = "<!-- c2llm begin: written by `c2llm install-agent`, which also removes it (--undo) -->"
END = "<!-- c2llm end -->"


def get(text: str, _: EntryPath) -> object | None:
    place = _place(text)
    return text[place[0] : place[1]].removeprefix(BEGIN).removesuffix(END).strip() if place else None


def put(text: str, _: EntryPath, data: object) -> str:
    section = f"{BEGIN}\n{data}\n{END}"
    place = _place(text)
    if place:
        return text[: place[0]] + section + text[place[1] :]
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{section}\n"


def drop(text: str, _: EntryPath) -> str:
    place = _place(text)
    if not place:
        return text
    before, after = text[: place[0]], text[place[1] :].removeprefix("\n")
    return (before.rstrip("\n") + "\n" if before.strip() else "") + after


def _place(text: str) -> tuple[int, int] | None:
    start, end = text.find("<!-- c2llm begin"), text.find(END)
    if start < 0 and end < 0:
        return None
    if not 0 <= start < end or text.find("<!-- c2llm begin", start + 1) >= 0 or text.find(END, end + 1) >= 0:
        raise ConfigError(f"its section between '{BEGIN[:16]}' and '{END}' is not whole; remove what is left of it")
    return start, end + len(END)
