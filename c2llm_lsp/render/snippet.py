"""Which lines of a hit are worth showing."""

from __future__ import annotations

import re

from retrieval.types import Hit

_WORDS = re.compile(r"\w+")
_NAMED_BY_A_LINE = ("function", "method", "class")  # what begins with a line that has its name and little else
MAX_SALIENT = 4  # lines of a hit shown at first: ten hits then fit on one screen


def hit_lines(hit: Hit) -> dict[int, str]:
    """Line number -> text. Only "\\n" ends a line, as in the index: form feeds and U+2028 are characters."""
    lines = hit.text.split("\n")
    return {hit.start_line + i: line.rstrip("\r") for i, line in enumerate(lines[: hit.end_line - hit.start_line + 1])}


def snippet_lines(hit: Hit, *, context: int = 0) -> list[int]:
    """The numbers of the lines to show: the definition, then salient lines and those that match the query's terms."""
    lines = hit_lines(hit)
    selected = {anchor_line(hit)}
    for number in [*hit.salient_lines, *_by_match_count(hit, lines)]:
        if len(selected) < MAX_SALIENT and lines.get(number, "").strip():
            selected.add(number)
    for number in lines:
        if len(selected) >= min(2, len(lines)):
            break
        if lines[number].strip():
            selected.add(number)
    return sorted({n for number in selected for n in range(number - context, number + context + 1) if n in lines})


def anchor_line(hit: Hit) -> int:
    """The line that represents the hit: the definition of the name in the query, else the first use of its symbol, else the
    best match, else the first line that is not blank.
    """
    # imported here: slow, and needed only where there are hits
    from retrieval.search.definitions import queried_definition_line

    if (definition := queried_definition_line(hit)) is not None:
        return definition
    lines = hit_lines(hit)
    if hit.chunk.symbol:
        symbol = re.compile(rf"(?<!\w){re.escape(hit.chunk.symbol)}(?!\w)")
        for number, line in lines.items():
            if symbol.search(line):
                return number
    candidates = [*hit.salient_lines, *_by_match_count(hit, lines)]
    candidates += [number for number, line in lines.items() if line.strip()]
    return next((number for number in candidates if number in lines), hit.start_line)


def answer_line(hit: Hit, anchor: int | None = None) -> int:
    """The line that says most beside the hit's name: the first salient one below the anchor, else the one with most matches,
    else the first; lines of brackets and a single word, as `pass` or `else:`, only where there are no others. The anchor is
    the line of the name, `anchor_line` where it is not given.
    """
    lines = hit_lines(hit)
    if anchor is None:
        anchor = anchor_line(hit)
    if hit.chunk.kind not in _NAMED_BY_A_LINE or not hit.chunk.symbol:
        anchor -= 1
    below = [number for number in hit.salient_lines if number > anchor]
    candidates = [*below, *_by_match_count(hit, lines), *(number for number in lines if number > anchor), *lines]
    candidates = [n for n in candidates if lines.get(n, "").strip() and n != anchor]
    informative = (n for n in candidates if len(_WORDS.findall(lines[n])) > 1)
    return next(informative, candidates[0] if candidates else min(max(anchor, hit.start_line), hit.end_line))


def _by_match_count(hit: Hit, lines: dict[int, str]) -> list[int]:
    """Lines with matches, those with the most distinct ones first."""
    from retrieval.search.matches import matches

    counts = {n: len({line[a:b].lower() for a, b in matches(line, hit.terms)}) for n, line in lines.items()}
    return sorted((n for n, count in counts.items() if count), key=lambda n: (-counts[n], n))
