"""Where a query's terms occur in a line: the spans that are marked in the lines shown."""

from __future__ import annotations

from collections.abc import Collection

from retrieval.store import PART, WORD, stem, subwords, unaccented


def matches(line: str, terms: Collection[str]) -> list[tuple[int, int]]:
    """The spans of a line whose words, or parts of compound words, have the stem of a term."""
    spans: list[tuple[int, int]] = []
    for word in WORD.finditer(line) if terms else ():
        if stem(word[0].strip("_").lower()) in terms:
            spans.append(word.span())
            continue
        for part in PART.finditer(line, *word.span()):
            if stem(part[0].lower()) in terms:
                spans.append(part.span())
            elif not part[0].isascii():
                spans += _subwords(part[0], part.start(), terms)
    return spans if line.isascii() else _apart(spans)


def _subwords(part: str, start: int, terms: Collection[str]) -> list[tuple[int, int]]:
    """Where sub-words stand in a part of a word."""
    plain = unaccented(part.lower())
    pieces = [piece for piece in subwords(part) if stem(piece) in terms]
    return [(start + at, start + at + len(piece)) for piece in pieces if (at := plain.find(piece)) >= 0]


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in their order; those that overlap or touch are one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out
