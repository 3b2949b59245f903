"""Git's ignore rules, pattern by pattern, as `dir.c` and `wildmatch.c` of git apply them.

Choices: patterns become regular expressions here and not through a library, because the scanner asks directory by
directory (git's own algorithm: an excluded directory is never entered, so nothing below it can come back), with one
combined expression to rule out most names at once. Global excludes (`core.excludesFile`) are left out: they describe
a person's editor, not the workspace. `.git/info/exclude` and the `.gitignore` files between the repository's top and
the root are read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

GIT_IGNORE = ".gitignore"
OWN_IGNORE = ".c2llmignore"
IGNORE_FILES = (GIT_IGNORE, OWN_IGNORE)
MAX_IGNORE_BYTES = 512 * 1024  # an ignore file larger than this is no ignore file
_CASE = re.IGNORECASE if sys.platform in ("win32", "darwin") else re.RegexFlag(0)  # re.NOFLAG came with 3.11
_SPECIAL = re.compile(r"[*?\[\\]")
_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "\\x21-\\x7e", "lower": "a-z", "print": "\\x20-\\x7e", "punct": "!-/:-@\\[-`{-~", "space": "\\s",
    "upper": "A-Z", "xdigit": "0-9a-fA-F",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: what it says (`ignore`), what it is for, and whether it looks at the whole path or the name."""

    ignore: bool
    only_directories: bool
    whole_path: bool
    expression: str


class RuleSet:
    """The patterns of one ignore file; the last that matches decides."""

    __slots__ = ("_any_name", "_any_path", "_rules", "base")

    def __init__(self, lines: Iterable[str], base: str = "") -> None:
        """`base` is the directory the file lies in, relative to the root, ending in "/" unless it is the root."""
        rules = [rule for line in lines if (rule := parse_rule(line)) is not None]
        self.base = base
        self._rules = [(rule, re.compile(rule.expression, _CASE | re.DOTALL)) for rule in reversed(rules)]
        self._any_name = _any_of(rule.expression for rule in rules if not rule.whole_path)
        self._any_path = _any_of(rule.expression for rule in rules if rule.whole_path)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def decide(self, path: str, name: str, is_directory: bool) -> bool | None:
        """True: ignored, False: kept by a negation, None: nothing said. `path` is relative to the base."""
        if not path.isascii():
            path, name = _as_bytes(path), _as_bytes(name)
        by_name = self._any_name is not None and self._any_name.fullmatch(name)
        by_path = self._any_path is not None and self._any_path.fullmatch(path)
        if not by_name and not by_path:
            return None
        for rule, expression in self._rules:
            if rule.only_directories and not is_directory:
                continue
            if expression.fullmatch(path if rule.whole_path else name):
                return rule.ignore
        return None


def decide(rule_sets: Sequence[RuleSet], path: str, name: str, is_directory: bool) -> bool | None:
    """The verdict of several ignore files on one path, deepest file first."""
    for rules in rule_sets:
        verdict = rules.decide(path[len(rules.base) :], name, is_directory)
        if verdict is not None:
            return verdict
    return None


def read_rules(path: Path, base: str = "") -> RuleSet | None:
    """The rules of one ignore file, None where there are none to apply (missing, a link, unreadable, empty)."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(MAX_IGNORE_BYTES)
    except OSError:
        return None
    rules = RuleSet(data.decode("utf-8-sig", "surrogateescape").split("\n"), base)
    return rules or None


def parse_rule(line: str) -> Rule | None:
    """One line of an ignore file; None for comments, blank lines and patterns that can never match."""
    pattern = _without_trailing_spaces(_as_bytes(line.removesuffix("\r")))
    if not pattern or pattern.startswith("#"):
        return None
    ignore = not pattern.startswith("!")
    if not ignore:
        pattern = pattern[1:]
    only_directories = pattern.endswith("/")
    if only_directories:
        pattern = pattern[:-1]
    whole_path = "/" in pattern
    expression = translate(pattern.removeprefix("/"), whole_path) if pattern else None
    if expression is None:
        return None
    return Rule(ignore, only_directories, whole_path, expression)


def translate(pattern: str, whole_path: bool) -> str | None:
    """A wildmatch pattern as a regular expression for `fullmatch`; None where it is malformed and never matches."""
    parts: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        char = pattern[at]
        if char == "*":
            stop = at
            while stop < end and pattern[stop] == "*":
                stop += 1
            piece, at = _stars(pattern, at, stop, whole_path)
            parts.append(piece)
        elif char == "?":
            parts.append("[^/]" if whole_path else ".")
            at += 1
        elif char == "[":
            bracket = _bracket(pattern, at + 1)
            if bracket is None:
                return None
            piece, at = bracket
            parts.append(piece)
        elif char == "\\":
            if at + 1 == end:
                return None
            parts.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            parts.append(re.escape(char))
            at += 1
    return "".join(parts)


def _stars(pattern: str, start: int, stop: int, whole_path: bool) -> tuple[str, int]:
    """A run of `*`: `**` between slashes crosses directories, anything else stays within one name.

    Git compares the part before the first special character by itself, so that `a**/b` is "a" and then `**/b`.
    """
    if not whole_path:
        return ".*", stop
    begins = start == 0 or pattern[start - 1] == "/" or not _SPECIAL.search(pattern, 0, start)
    if stop - start >= 2 and begins:
        if stop == len(pattern):
            return ".*", stop
        if pattern[stop] == "/":
            return "(?:.*/)?", stop + 1
    return "[^/]*", stop


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
    return (f"(?!/)[{inside}]" if inside else "(?!)"), at + 1


def _bracket_char(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at] == "\\":
        at += 1
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)


def _as_bytes(text: str) -> str:
    """Text with a character for each byte of its UTF-8: git's patterns see bytes, so "?" is half an "é"."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    slashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if slashes % 2 and len(stripped) < len(line) else stripped


def _any_of(expressions: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{expression})" for expression in expressions)
    return re.compile(joined, _CASE | re.DOTALL) if joined else None
