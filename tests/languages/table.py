"""The table of languages: a small file of each, what it defines, a question, read from expected.txt.

A block begins with the file, its language and how it is cut; a line with `?` is a question and the definition that answers it;
each other line is a definition with its kind, its qualified name and its lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_STEM = 5  # letters; longer words are found by their stems too
HERE = Path(__file__).parent
FILES = HERE / "files"


@dataclass(frozen=True)
class Row:
    """One file."""

    path: str
    language: str
    method: str
    symbols: list[str] = field(default_factory=list)  # "method Basket.add 16-18"
    questions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return (FILES / self.path).read_text(encoding="utf-8")


def rows() -> list[Row]:
    """All files in the order of the table."""
    found: list[Row] = []
    for line in (HERE / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            path, language, method = line[3:].split(" · ")
            found.append(Row(path, language, method))
        elif line.startswith("? "):
            question, _, answer = line[2:].partition(" -> ")
            found[-1].questions.append((question, answer))
        elif line:
            found[-1].symbols.append(line)
    return found


def page() -> str:
    """The table of docs/languages.md."""
    lines = ["| language | cut by | definitions | name first | question first |", "|---|---|---|---|---|"]
    for language in sorted({row.language for row in rows()}):
        own = [row for row in rows() if row.language == language]
        symbols = [symbol for row in own for symbol in row.symbols]
        named, asked = len(names(own)), sum(len(row.questions) for row in own)
        lines.append(f"| {language} | {own[0].method} | {len(symbols) or '–'} | {named or '–'} | {asked or '–'} |")
    return "\n".join(lines)


def names(own: list[Row]) -> list[tuple[Row, str, str]]:
    """Row, name and lines of the definitions that are asked for by name: those that are no word of another file."""
    texts = _texts()
    return [
        (row, name, symbol.rpartition(" ")[2])
        for row in own
        for symbol in row.symbols
        if len(name := _name(symbol)) > 3
        and name.replace("_", "").isalnum()
        and sum(_name(other) == name for other in row.symbols) == 1
        and not any(name.lower()[:_STEM] in text for path, text in texts.items() if path != row.path)
    ]


@cache
def _texts() -> dict[str, str]:
    return {row.path: row.text.lower() for row in rows()}


def _name(symbol: str) -> str:
    return symbol.partition(" ")[2].rpartition(" ")[0].rpartition(".")[2]
