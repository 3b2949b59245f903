"""Translates git's wildmatch to regular expressions whose matching time is proportional to pattern times path.

Choices: Python's `re` backtracks, so a direct translation of `*a*a*a*b`, or of a dozen `**/`, takes exponential time. Two
facts avoid that. The text between two stars of one name has a fixed length, and the text between two `**/` has a fixed
number of slashes and ends in one; so the leftmost match is always the right one, and each such segment becomes an atomic
group (as in Python's `fnmatch`). Only the last star before a slash or the end tries several positions, of which at most
one matches. Atomic groups are written as a lookahead with a backreference, because `(?>...)` needs Python 3.11. Libraries
do not suffice: pathspec passes patterns to `re` directly, and its linear engine, google-re2, has no wheels for musl.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from enum import Enum, auto

MAX_PATTERN_CHARS = 4096  # characters; longer than any path an operating system opens; a longer pattern matches nothing

_SPECIAL = re.compile(r"[*?\[\\]")
_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "\\x21-\\x7e", "lower": "a-z", "print": "\\x20-\\x7e", "punct": "!-/:-@\\[-`{-~", "space": "\\s",
    "upper": "A-Z", "xdigit": "0-9a-fA-F",
}  # fmt: skip


class Kind(Enum):
    """What a token of a pattern matches."""

    CHARACTER = auto()  # itself
    CLASS = auto()  # one character other than "/"
    STAR = auto()  # any characters other than "/"
    FOLDERS = auto()  # `**/`: any number of folders, none included
    REST = auto()  # a `**` at the end: whatever follows


@dataclass(frozen=True, slots=True)
class Token:
    """One element of a pattern; `text` is a character or the regular expression of a class."""

    kind: Kind
    text: str = ""


_ANY = Token(Kind.CLASS, "[^/]")
_STAR, _FOLDERS, _REST = Token(Kind.STAR), Token(Kind.FOLDERS), Token(Kind.REST)
NO_CHARACTER = Token(Kind.CLASS, "(?!)")  # a class without members, as [z-a] is one


@functools.lru_cache(maxsize=256)  # an ignore file of 512 KB takes 0.2 s instead of 0.8 s
def _character(text: str) -> Token:
    return Token(Kind.CHARACTER, text)


def tokenize(pattern: str, whole_path: bool) -> list[Token] | None:
    """The tokens of a wildmatch pattern; None if it is malformed and never matches."""
    tokens: list[Token] = []
    index, end = 0, len(pattern)
    while index < end:
        char = pattern[index]
        if char == "*":
            stop = index
            while stop < end and pattern[stop] == "*":
                stop += 1
            token, index = _stars(pattern, index, stop, whole_path)
            if not (tokens and tokens[-1] == token):  # two stars in a row are one
                tokens.append(token)
        elif char == "[":
            bracket = _bracket(pattern, index + 1)
            if bracket is None:
                return None
            expression, index = bracket
            tokens.append(Token(Kind.CLASS, expression))
        elif char == "\\":
            if index + 1 == end:
                return None
            tokens.append(_character(pattern[index + 1]))
            index += 2
        else:
            tokens.append(_ANY if char == "?" else _character(char))
            index += 1
    return tokens


def to_regex(tokens: list[Token]) -> str:
    """The regular expression for `fullmatch`, with `re.DOTALL`."""
    groups = _split(tokens, _FOLDERS)
    parts = [_names(groups[0])]
    for group in groups[1:-1]:
        if group:  # `**/**/` has nothing in between
            parts.append(_atomic(f"(?:[^/]*/)*?{_names(group)}"))
    if len(groups) > 1:
        parts.append(f"(?:.*/)?{_names(groups[-1])}")
    return "".join(parts)


def has_atomic_groups(expression: str) -> bool:
    """Whether it contains atomic groups: a long alternation of them would save and restore all groups at each step."""
    return "(?P=" in expression


def _names(tokens: list[Token]) -> str:
    """Tokens without `**/`, name by name."""
    rest = bool(tokens) and tokens[-1] == _REST
    names = _split(tokens[:-1] if rest else tokens, _character("/"))
    return "/".join(map(_name, names)) + (".*" if rest else "")


def _name(tokens: list[Token]) -> str:
    first, *others = (_characters(segment) for segment in _split(tokens, _STAR))
    if not others:
        return first
    middle = [_atomic(f"[^/]*?{segment}") for segment in others[:-1]]
    return f"{first}{''.join(middle)}[^/]*{others[-1]}"


def _characters(tokens: list[Token]) -> str:
    return "".join(re.escape(token.text) if token.kind is Kind.CHARACTER else token.text for token in tokens)


_group_number = itertools.count()


def _atomic(expression: str) -> str:
    """An atomic group: takes the first match and never backtracks."""
    name = f"g{next(_group_number)}"  # several patterns may be joined into one expression
    return f"(?=(?P<{name}>{expression}))(?P={name})"


def _split(tokens: list[Token], separator: Token) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _stars(pattern: str, start: int, stop: int, whole_path: bool) -> tuple[Token, int]:
    """A run of `*`: `**` between slashes crosses directories, anything else stays within one name.

    Git compares the literal prefix separately, so `a**/b` is "a" followed by `**/b`.
    """
    at_start = start == 0 or pattern[start - 1] == "/" or not _SPECIAL.search(pattern, 0, start)
    if whole_path and stop - start >= 2 and at_start:
        if stop == len(pattern):
            return _REST, stop
        if pattern[stop] == "/":
            return _FOLDERS, stop + 1
    return _STAR, stop


def _bracket(pattern: str, index: int) -> tuple[str, int] | None:
    """A bracket expression after its "[": its regular expression and end position; None if it is malformed."""
    negated = pattern[index : index + 1] in ("!", "^")
    index += negated
    members: list[str] = []
    first = True
    while True:
        if index >= len(pattern):
            return None
        char = pattern[index]
        if char == "]" and not first:
            break
        first = False
        if pattern.startswith("[:", index):
            close = pattern.find(":]", index)
            name = pattern[index + 2 : close] if close > 0 else ""
            if name not in _POSIX_CLASSES:
                return None
            members.append(_POSIX_CLASSES[name])
            index = close + 2
            continue
        low, index = _bracket_char(pattern, index)
        if low is None:
            return None
        high = low
        if pattern[index : index + 1] == "-" and pattern[index + 1 : index + 2] not in ("]", ""):
            end, index = _bracket_char(pattern, index + 1)
            if end is None:
                return None
            high = end
        if low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}" if low != high else re.escape(low))
    member_class = "".join(members)
    if negated:
        return f"[^/{member_class}]", index + 1
    return (f"(?!/)[{member_class}]" if member_class else NO_CHARACTER.text), index + 1


def _bracket_char(pattern: str, index: int) -> tuple[str | None, int]:
    if pattern[index] == "\\":
        index += 1
    return (pattern[index], index + 1) if index < len(pattern) else (None, index)
