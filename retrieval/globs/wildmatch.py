"""Git's wildmatch as regular expressions that match in time proportional to pattern times path.

Choices: Python's `re` backtracks, so that a plain translation of `*a*a*a*b`, or of `**/` a dozen times, takes
exponential time. Two facts allow a translation that does not. What stands between two stars of one name has a fixed
length, and what stands between two `**/` has a fixed number of slashes and ends in one; so the leftmost place that fits
is always the right one, and each such piece becomes an atomic group (as in Python's `fnmatch`). Only the last star
before a slash or the end tries several places, and there at most one fits. The groups are a lookahead with a backward
reference, because `(?>...)` came with Python 3.11. Libraries do not do: pathspec gives patterns to `re` as they are,
and its linear engine, google-re2, has no wheels for musl.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from enum import Enum, auto

MAX_PATTERN = 4096  # characters; no path that an operating system opens is longer, a longer pattern matches nothing

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
    """One element of a pattern; `text` is a character or, of a class, its regular expression."""

    kind: Kind
    text: str = ""


_ANY = Token(Kind.CLASS, "[^/]")
_STAR, _FOLDERS, _REST = Token(Kind.STAR), Token(Kind.FOLDERS), Token(Kind.REST)
NO_CHARACTER = Token(Kind.CLASS, "(?!)")  # a class without members, as [z-a] is one


@functools.lru_cache(maxsize=256)  # most of a pattern: an ignore file of 512 KB in 0.2 s instead of 0.8
def _character(text: str) -> Token:
    return Token(Kind.CHARACTER, text)


def tokenize(pattern: str, whole_path: bool) -> list[Token] | None:
    """The tokens of a wildmatch pattern; None where it is malformed and never matches."""
    tokens: list[Token] = []
    at, end = 0, len(pattern)
    while at < end:
        char = pattern[at]
        if char == "*":
            stop = at
            while stop < end and pattern[stop] == "*":
                stop += 1
            token, at = _stars(pattern, at, stop, whole_path)
            if not (tokens and tokens[-1] == token):  # two stars in a row are one
                tokens.append(token)
        elif char == "[":
            bracket = _bracket(pattern, at + 1)
            if bracket is None:
                return None
            expression, at = bracket
            tokens.append(Token(Kind.CLASS, expression))
        elif char == "\\":
            if at + 1 == end:
                return None
            tokens.append(_character(pattern[at + 1]))
            at += 2
        else:
            tokens.append(_ANY if char == "?" else _character(char))
            at += 1
    return tokens


def expression_of(tokens: list[Token]) -> str:
    """The regular expression for `fullmatch`, with `re.DOTALL`."""
    groups = _split(tokens, _FOLDERS)
    parts = [_names(groups[0])]
    for group in groups[1:-1]:
        if group:  # nothing stands between `**/**/`
            parts.append(_atomic(f"(?:[^/]*/)*?{_names(group)}"))
    if len(groups) > 1:
        parts.append(f"(?:.*/)?{_names(groups[-1])}")
    return "".join(parts)


def has_references(expression: str) -> bool:
    """Whether it has atomic groups: a long alternation of such would save and restore all of them at each step."""
    return "(?P=" in expression


def _names(tokens: list[Token]) -> str:
    """Tokens without `**/`, name by name."""
    rest = bool(tokens) and tokens[-1] == _REST
    names = _split(tokens[:-1] if rest else tokens, _character("/"))
    return "/".join(map(_name, names)) + (".*" if rest else "")


def _name(tokens: list[Token]) -> str:
    first, *others = (_characters(piece) for piece in _split(tokens, _STAR))
    if not others:
        return first
    middle = [_atomic(f"[^/]*?{piece}") for piece in others[:-1]]
    return f"{first}{''.join(middle)}[^/]*{others[-1]}"


def _characters(tokens: list[Token]) -> str:
    return "".join(re.escape(token.text) if token.kind is Kind.CHARACTER else token.text for token in tokens)


_group_number = itertools.count()


def _atomic(expression: str) -> str:
    """Takes the first match and never another: what follows cannot make it backtrack."""
    name = f"g{next(_group_number)}"  # several patterns may stand in one expression
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

    Git compares the part before the first special character by itself, so that `a**/b` is "a" and then `**/b`.
    """
    begins = start == 0 or pattern[start - 1] == "/" or not _SPECIAL.search(pattern, 0, start)
    if whole_path and stop - start >= 2 and begins:
        if stop == len(pattern):
            return _REST, stop
        if pattern[stop] == "/":
            return _FOLDERS, stop + 1
    return _STAR, stop


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """A bracket expression from behind its "[": its regular expression and its end; None where it is malformed."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    members: list[str] = []
    first = True
    while True:
        if at >= len(pattern):
            return None
        char = pattern[at]
        if char == "]" and not first:
            break
        first = False
        if pattern.startswith("[:", at):
            close = pattern.find(":]", at)
            name = pattern[at + 2 : close] if close > 0 else ""
            if name not in _POSIX_CLASSES:
                return None
            members.append(_POSIX_CLASSES[name])
            at = close + 2
            continue
        low, at = _bracket_char(pattern, at)
        if low is None:
            return None
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("]", ""):
            end, at = _bracket_char(pattern, at + 1)
            if end is None:
                return None
            high = end
        if low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}" if low != high else re.escape(low))
    inside = "".join(members)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else NO_CHARACTER.text), at + 1


def _bracket_char(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at] == "\\":
        at += 1
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)
