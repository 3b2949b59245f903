"""Which lines of a hit are worth showing, how to show untrusted text."""

from __future__ import annotations

import re
import unicodedata

from retrieval.types import Answer, Freshness, Hit

MAX_SALIENT = 4  # lines of a hit shown at first: ten hits then fit on one screen


def hit_lines(hit: Hit) -> dict[int, str]:
    """Line number -> text. Only "\\n" ends a line, as in the index: form feeds and U+2028 are characters."""
    lines = hit.text.split("\n")
    return {hit.start_line + i: line.rstrip("\r") for i, line in enumerate(lines[: hit.end_line - hit.start_line + 1])}


def clean(text: str) -> str:
    """Control characters made visible: a file's content cannot send commands to the terminal or reverse its text."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return "    "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    # Cc: C1 controls; Cf: direction overrides and invisible joiners; Cs: bytes of a file name that are not UTF-8.
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


def shown(hit: Hit, *, context: int = 0) -> list[int]:
    """The numbers of the lines to show: the definition, then where the model looked or the query's words are."""
    lines = hit_lines(hit)
    picked = {anchor(hit)}
    for number in [*hit.salient_lines, *_by_matches(hit, lines)]:
        if len(picked) < MAX_SALIENT and lines.get(number, "").strip():
            picked.add(number)
    for number in lines:
        if len(picked) >= min(2, len(lines)):
            break
        if lines[number].strip():
            picked.add(number)
    return sorted(
        {near for number in picked for near in range(number - context, number + context + 1) if near in lines}
    )


def anchor(hit: Hit) -> int:
    """The line that stands for the hit: where the name asked for is defined, else where its symbol is named, else the
    best matching, else the first with text.
    """
    from retrieval.search.definitions import asked_for  # is there where there are hits, and takes long to import

    if (asked := asked_for(hit)) is not None:
        return asked
    lines = hit_lines(hit)
    if hit.chunk.symbol:
        named = re.compile(rf"(?<!\w){re.escape(hit.chunk.symbol)}(?!\w)")
        for number, line in lines.items():
            if named.search(line):
                return number
    candidates = [*hit.salient_lines, *_by_matches(hit, lines)]
    candidates += [number for number, line in lines.items() if line.strip()]
    return next((number for number in candidates if number in lines), hit.start_line)


def _by_matches(hit: Hit, lines: dict[int, str]) -> list[int]:
    """Lines with matches, those with the most different ones first."""
    from retrieval.search.matches import matches

    counts = {n: len({line[a:b].lower() for a, b in matches(line, hit.terms)}) for n, line in lines.items()}
    return sorted((n for n, count in counts.items() if count), key=lambda n: (-counts[n], n))


def remarks(answer: Answer) -> list[str]:
    """What the reader should know about the answer: the engine's notes, what is pending, what may be stale."""
    return [*answer.notes, *pending(answer.freshness)]


def pending(fresh: Freshness) -> list[str]:
    """What is not indexed yet, and what may be stale."""
    said = []
    if fresh.pending_files:
        said.append(f"{_count(fresh.pending_files, 'file')} not indexed yet.")
    if fresh.pending_chunks:
        said.append(f"{_count(fresh.pending_chunks, 'chunk')} searchable by words only so far.")
    if fresh.stale:
        said.append("Files may have changed since the index was made; `c2llm index` brings it up to date.")
    return said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
