"""The page on languages lists every grammar with its wheel, and every language cut by patterns."""

from __future__ import annotations

from pathlib import Path

from retrieval.chunking.grammars import GRAMMARS
from retrieval.chunking.pattern_rules import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "languages.md").read_text(encoding="utf-8")


def test_every_grammar_is_listed_with_its_wheel_and_languages() -> None:
    rows = {
        cells[0].split("`")[1]: set(cells[1].strip().split(", "))
        for line in PAGE.splitlines()
        if line.startswith("| `tree-sitter-") and (cells := line.strip("|").split("|"))
    }
    wheels: dict[str, set[str]] = {}
    for language, grammar in GRAMMARS.items():
        wheels.setdefault(grammar.module.replace("_", "-"), set()).add(language)
    assert rows == wheels


def test_every_language_with_a_pattern_is_listed() -> None:
    listed = PAGE.partition("## By patterns")[2].partition(". Other")[0].split()
    assert {word.strip(",") for word in listed} >= RULES.keys() - GRAMMARS.keys()
