"""Where a query's terms occur in a line: the spans that are marked in the lines shown."""

from __future__ import annotations

from collections.abc import Collection

from retrieval.store import PART, WORD, stem


def matches(line: str, terms: Collection[str]) -> list[tuple[int, int]]:
    """The spans of a line whose words, or parts of compound words, have the stem of a term."""
    spans: list[tuple[int, int]] = []
    for word in WORD.finditer(line) if terms else ():
        if stem(word[0].strip("_").lower()) in terms:
            spans.append(word.span())
            continue
        parts = PART.finditer(line, *word.span())
        spans += [part.span() for part in parts if stem(part[0].lower()) in terms]
    return spans
