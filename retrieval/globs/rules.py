"""The rules of one ignore file, as git's `dir.c` applies them, to be asked about one entry of a directory at a time.

Choices: git never enters an excluded directory, so nothing below it can come back; a rule set therefore judges single
names and leaves the walk to its caller. Names, paths and patterns with one star at an end are looked up in tables,
which is where most patterns end; the others share one expression that rules out most entries at once. The sizes of
both are limited: a hostile ignore file costs a bounded time for each entry, and the rest of it is dropped and told.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.globs.wildmatch import MAX_PATTERN, Kind, Token, expression_of, has_references, tokenize

MAX_RULES = 20_000  # of one file; the longest ignore files of public repositories have about 2,000 lines
# Characters of patterns that no table takes, of one file: about 500 such patterns. Each costs a step for each character
# of a name at worst, all together 20 ms for a path of 200 folders; an ignore file made of templates has a few hundred.
MAX_WILDCARDS = 8 * 1024
FOLDS_CASE = sys.platform in ("win32", "darwin")

_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}  # ASCII alone, as git does


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: what it says (`ignore`), what it is for, and whether it looks at the whole path or the name."""

    ignore: bool
    only_directories: bool
    whole_path: bool
    tokens: tuple[Token, ...]


class _Table:
    """Rules by a fixed text. For each text the number of the last rule for files, and of the last for directories."""

    __slots__ = ("_last", "_lengths")

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}
        self._lengths: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._last)

    def add(self, text: str, number: int, rule: Rule) -> None:
        """Numbers come in rising order."""
        files, _ = self._last.get(text, (-1, -1))
        self._last[text] = (files if rule.only_directories else number, number)

    def finish(self) -> None:
        self._lengths = sorted(set(map(len, self._last)))

    def last(self, text: str, is_directory: bool) -> int:
        found = self._last.get(text)
        return -1 if found is None else found[is_directory]

    def last_prefix(self, text: str, is_directory: bool) -> int:
        size, number = len(text), -1
        for length in self._lengths:
            if length > size:
                break
            found = self._last.get(text[:length])
            if found is not None and found[is_directory] > number:
                number = found[is_directory]
        return number

    def last_suffix(self, text: str, is_directory: bool) -> int:
        size, number = len(text), -1
        for length in self._lengths:
            if length > size:
                break
            found = self._last.get(text[size - length :])
            if found is not None and found[is_directory] > number:
                number = found[is_directory]
        return number


class _Wildcard:
    """A rule that no table takes. Compiled when it is asked first, which for most of them is never."""

    __slots__ = ("_compiled", "_flags", "alone", "expression", "number", "rule")

    def __init__(self, number: int, rule: Rule, flags: int) -> None:
        self.number, self.rule, self._flags = number, rule, flags
        self.expression = expression_of(list(rule.tokens))
        self.alone = has_references(self.expression)
        self._compiled: re.Pattern[str] | None = None

    def matches(self, path: str, name: str) -> bool:
        if self._compiled is None:
            self._compiled = re.compile(self.expression, self._flags)
        return self._compiled.fullmatch(path if self.rule.whole_path else name) is not None


class RuleSet:
    """The patterns of one ignore file; the last that matches decides.

    `weight` is what an entry costs at worst, in characters of patterns; `dropped` says that some rules do not count,
    because there are too many.
    """

    __slots__ = (
        "_any_name", "_any_path", "_as_bytes", "_fold", "_names", "_paths", "_prefixes", "_suffixes", "_verdicts",
        "_wildcards", "base", "dropped", "weight",
    )  # fmt: skip

    def __init__(self, lines: Iterable[str], base: str = "", *, fold: bool = FOLDS_CASE, as_bytes: bool = True) -> None:
        """`base` is the directory the file lies in, relative to the root, ending in "/" unless it is the root.

        With `as_bytes`, "?" and classes mean a byte of UTF-8, as in git, otherwise a character.
        """
        self.base, self._fold, self._as_bytes = base, fold, as_bytes
        self.dropped, self.weight = False, 0
        self._names, self._paths, self._prefixes, self._suffixes = _Table(), _Table(), _Table(), _Table()
        self._verdicts: list[bool] = []
        self._wildcards: list[_Wildcard] = []
        flags = re.ASCII | re.DOTALL | (re.IGNORECASE if fold else 0)
        for line in lines:
            rule = parse_rule(line, as_bytes)
            if rule is None:
                self.dropped |= len(line) > MAX_PATTERN and line[0] != "#"
            elif not self._add(rule, len(line), flags):
                self.dropped = True
        self._wildcards.reverse()
        for table in (self._prefixes, self._suffixes):
            table.finish()
        self._any_name = _any_of([card for card in self._wildcards if not card.rule.whole_path], flags)
        self._any_path = _any_of([card for card in self._wildcards if card.rule.whole_path], flags)

    def __bool__(self) -> bool:
        return bool(self._verdicts) or self.dropped

    def __len__(self) -> int:
        return len(self._verdicts)

    def decide(self, path: str, name: str, is_directory: bool) -> bool | None:
        """True: ignored, False: kept by a negation, None: nothing said. `path` is relative to the base."""
        if self._as_bytes and not path.isascii():
            path, name = _bytes_of(path), _bytes_of(name)
        number = self._last_fixed(path, name, is_directory)
        if self._wildcards and self._wildcards[0].number > number:
            number = self._last_wildcard(path, name, is_directory, number)
        return None if number < 0 else self._verdicts[number]

    def _last_fixed(self, path: str, name: str, is_directory: bool) -> int:
        """The number of the last rule in the tables that matches, -1 where none does."""
        if self._fold:
            path, name = path.translate(_FOLD), name.translate(_FOLD)
        number = self._names.last(name, is_directory)
        if self._paths:
            number = max(number, self._paths.last(path, is_directory))
        if self._suffixes:
            number = max(number, self._suffixes.last_suffix(name, is_directory))
        if self._prefixes:
            number = max(number, self._prefixes.last_prefix(name, is_directory))
        return number

    def _last_wildcard(self, path: str, name: str, is_directory: bool, above: int) -> int:
        """The number of the last wildcard that matches and comes after rule `above`; else `above`."""
        by_name = self._any_name is not None and self._any_name.fullmatch(name) is not None
        by_path = self._any_path is not None and self._any_path.fullmatch(path) is not None
        for card in self._wildcards:
            if card.number < above:
                break
            possible = card.alone or (by_path if card.rule.whole_path else by_name)
            if possible and (is_directory or not card.rule.only_directories) and card.matches(path, name):
                return card.number
        return above

    def _add(self, rule: Rule, length: int, flags: int) -> bool:
        """False where the rule is one too many."""
        number = len(self._verdicts)
        fixed = self._fixed(rule)
        if number >= MAX_RULES or (fixed is None and self.weight + length > MAX_WILDCARDS):
            return False
        if fixed is None:
            self.weight += length
            self._wildcards.append(_Wildcard(number, rule, flags))
        else:
            table, tokens = fixed
            text = "".join(token.text for token in tokens)
            table.add(text.translate(_FOLD) if self._fold else text, number, rule)
        self._verdicts.append(rule.ignore)
        return True

    def _fixed(self, rule: Rule) -> tuple[_Table, tuple[Token, ...]] | None:
        """The table that a rule belongs in, and its fixed text; None for a wildcard."""
        tokens = rule.tokens
        others = [at for at, token in enumerate(tokens) if token.kind is not Kind.CHARACTER]
        if not others:
            return (self._paths if rule.whole_path else self._names), tokens
        if rule.whole_path or len(others) > 1 or tokens[others[0]].kind is not Kind.STAR:
            return None
        if others[0] == 0:
            return self._suffixes, tokens[1:]
        return (self._prefixes, tokens[:-1]) if others[0] == len(tokens) - 1 else None


def _any_of(cards: list[_Wildcard], flags: int) -> re.Pattern[str] | None:
    """One expression to rule out several; of those that have to be asked alone it says nothing."""
    joined = "|".join(f"(?:{card.expression})" for card in cards if not card.alone)
    return re.compile(joined, flags) if joined else None


def decide(rule_sets: Sequence[RuleSet], path: str, name: str, is_directory: bool) -> bool | None:
    """The verdict of several ignore files on one path, deepest file first."""
    for rules in rule_sets:
        verdict = rules.decide(path[len(rules.base) :], name, is_directory)
        if verdict is not None:
            return verdict
    return None


def parse_rule(line: str, as_bytes: bool = True) -> Rule | None:
    """One line of an ignore file; None for comments, blank lines and patterns that can never match."""
    line = line.removesuffix("\r")
    pattern = _without_trailing_spaces(_bytes_of(line) if as_bytes else line)
    if not pattern or pattern.startswith("#") or len(pattern) > MAX_PATTERN:
        return None
    ignore = not pattern.startswith("!")
    if not ignore:
        pattern = pattern[1:]
    only_directories = pattern.endswith("/")
    if only_directories:
        pattern = pattern[:-1]
    whole_path = "/" in pattern
    tokens = tokenize(pattern.removeprefix("/"), whole_path) if pattern else None
    if tokens is None:
        return None
    if tokens and tokens[0].kind is Kind.FOLDERS and _is_name(tokens[1:]):
        del tokens[0]  # `**/name` is `name`
        whole_path = False
    return Rule(ignore, only_directories, whole_path, tuple(tokens))


def _is_name(tokens: list[Token]) -> bool:
    return all(token.kind not in (Kind.FOLDERS, Kind.REST) and token.text != "/" for token in tokens)


def _bytes_of(text: str) -> str:
    """Text with a character for each byte of its UTF-8: git's patterns see bytes, so "?" is half an "é"."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    slashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if slashes % 2 and len(stripped) < len(line) else stripped
