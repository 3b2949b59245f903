"""Which lines of a hit are worth showing, which words in them answer the query, how to show untrusted text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from retrieval.types import Answer, Freshness, Hit

MAX_SALIENT = 4  # lines of a hit shown at first: ten hits then fit on one screen
SHORTEST_WORD = 3  # shorter query words ("a", "is", "of") would mark half of every line

# Words of questions, not of code: marking them would hide what matched.
_QUESTION_WORDS = frozenset(
    "the and are for how what where which who why when does with that this from into can not has have was were".split()
)
_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W_]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "es", "ed", "s", "e", "y")
_SHORTEST_STEM = 4  # "uses" may lose its ending, "as" may not


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


def stems(query: str) -> tuple[str, ...]:
    """The words of a query that are worth marking, without their endings, longest first."""
    words = [part.lower() for word in _WORD.findall(query[:10_000]) for part in _PARTS.findall(word)]
    found = {_stem(word) for word in words if len(word) >= SHORTEST_WORD and word not in _QUESTION_WORDS}
    return tuple(sorted(found, key=lambda stem: (-len(stem), stem)))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def marks(line: str, words: Iterable[str]) -> list[tuple[int, int]]:
    """Spans of a line whose identifier parts begin with one of the stems."""
    wanted = tuple(words)
    if not wanted:
        return []
    return [part.span() for part in _PARTS.finditer(line) if part.group().lower().startswith(wanted)]


def shown(hit: Hit, words: tuple[str, ...], *, context: int = 0) -> list[int]:
    """The numbers of the lines to show: the definition, then where the model looked or the query's words are."""
    lines = hit_lines(hit)
    picked = {anchor(hit, words)}
    for number in [*hit.salient_lines, *_by_words(lines, words)]:
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


def anchor(hit: Hit, words: tuple[str, ...] = ()) -> int:
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
    candidates = [*hit.salient_lines, *_by_words(lines, words)]
    candidates += [number for number, line in lines.items() if line.strip()]
    return next((number for number in candidates if number in lines), hit.start_line)


def _by_words(lines: dict[int, str], words: tuple[str, ...]) -> list[int]:
    """Lines with matching words, those with the most different ones first."""
    counts = {n: len({line[a:b].lower() for a, b in marks(line, words)}) for n, line in lines.items()}
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
