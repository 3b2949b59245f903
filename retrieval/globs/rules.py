"""The rules of one ignore file, as git's `dir.c` applies them, evaluated for one directory entry at a time.

Choices: git never enters an excluded directory, so nothing below it can be re-included; a rule set therefore evaluates
single entries and leaves the walk to its caller. Names, paths and patterns with one star at either end are looked up in
tables, which covers most patterns; the others share one regular expression that rejects most entries at once. Both are
limited in size: a hostile ignore file costs bounded time per entry; further rules are dropped and reported.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrieval.globs.wildmatch import MAX_PATTERN_CHARS, Kind, Token, has_atomic_groups, to_regex, tokenize

MAX_RULES = 20_000  # per file; the longest ignore files of public repositories have about 2,000 lines
# Characters of wildcard patterns outside the tables, per file: about 500 patterns. Each costs at worst one step per
# character of a name, together 20 ms for a path of 200 folders; an ignore file made of templates has a few hundred.
MAX_WILDCARDS = 8 * 1024
IGNORES_CASE = sys.platform in ("win32", "darwin")

_LOWERCASE_ASCII = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}  # ASCII only, as in git


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: whether it ignores or re-includes, what it applies to, and whether it matches the whole path or the name."""

    ignore: bool
    only_directories: bool
    whole_path: bool
    tokens: tuple[Token, ...]


class _RuleTable:
    """Rules by literal text: the number of the last rule for files, and of the last for directories."""

    __slots__ = ("_last", "_lengths")

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}
        self._lengths: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._last)

    def add(self, key: str, number: int, rule: Rule) -> None:
        """Numbers must be added in ascending order."""
        files, _ = self._last.get(key, (-1, -1))
        self._last[key] = (files if rule.only_directories else number, number)

    def finish(self) -> None:
        self._lengths = sorted(set(map(len, self._last)))

    def last(self, key: str, is_directory: bool) -> int:
        last_rule = self._last.get(key)
        return -1 if last_rule is None else last_rule[is_directory]

    def last_prefix(self, key: str, is_directory: bool) -> int:
        size, number = len(key), -1
        for length in self._lengths:
            if length > size:
                break
            last_rule = self._last.get(key[:length])
            if last_rule is not None and last_rule[is_directory] > number:
                number = last_rule[is_directory]
        return number

    def last_suffix(self, key: str, is_directory: bool) -> int:
        size, number = len(key), -1
        for length in self._lengths:
            if length > size:
                break
            last_rule = self._last.get(key[size - length :])
            if last_rule is not None and last_rule[is_directory] > number:
                number = last_rule[is_directory]
        return number


class _WildcardRule:
    """A rule outside the tables. Compiled on first use; most are never used."""

    __slots__ = ("_compiled", "_flags", "expression", "must_match_alone", "number", "rule")

    def __init__(self, number: int, rule: Rule, flags: int) -> None:
        self.number, self.rule, self._flags = number, rule, flags
        self.expression = to_regex(list(rule.tokens))
        self.must_match_alone = has_atomic_groups(self.expression)
        self._compiled: re.Pattern[str] | None = None

    def matches(self, path: str, name: str) -> bool:
        if self._compiled is None:
            self._compiled = re.compile(self.expression, self._flags)
        return self._compiled.fullmatch(path if self.rule.whole_path else name) is not None


class RuleSet:
    """The patterns of one ignore file; the last match decides.

    `weight` is the worst-case cost of an entry, in pattern characters; `dropped` means that rules beyond the limits are
    not applied.
    """

    __slots__ = (
        "_any_name", "_any_path", "_as_bytes", "_decisions", "_ignore_case", "_names", "_paths", "_prefixes", "_suffixes",
        "_wildcards", "base", "dropped", "weight",
    )  # fmt: skip

    def __init__(
        self, lines: Iterable[str], base: str = "", *, ignore_case: bool = IGNORES_CASE, as_bytes: bool = True
    ) -> None:
        """`base` is the directory of the file, relative to the root, ending in "/" unless it is the root.

        With `as_bytes`, "?" and classes match a byte of UTF-8, as in git, else a character.
        """
        self.base, self._ignore_case, self._as_bytes = base, ignore_case, as_bytes
        self.dropped, self.weight = False, 0
        self._names, self._paths = _RuleTable(), _RuleTable()
        self._prefixes, self._suffixes = _RuleTable(), _RuleTable()
        self._decisions: list[bool] = []
        self._wildcards: list[_WildcardRule] = []
        flags = re.ASCII | re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        for line in lines:
            rule = parse_rule(line, as_bytes)
            if rule is None:
                self.dropped |= len(line) > MAX_PATTERN_CHARS and line[0] != "#"
            elif not self._add(rule, len(line), flags):
                self.dropped = True
        self._wildcards.reverse()
        for table in (self._prefixes, self._suffixes):
            table.finish()
        self._any_name = _combined([wildcard for wildcard in self._wildcards if not wildcard.rule.whole_path], flags)
        self._any_path = _combined([wildcard for wildcard in self._wildcards if wildcard.rule.whole_path], flags)

    def __bool__(self) -> bool:
        return bool(self._decisions) or self.dropped

    def __len__(self) -> int:
        return len(self._decisions)

    def decide(self, path: str, name: str, is_directory: bool) -> bool | None:
        """True: ignored, False: re-included by a negation, None: no rule matches. `path` is relative to the base."""
        if self._as_bytes and not path.isascii():
            path, name = _bytes_of(path), _bytes_of(name)
        number = self._last_table_match(path, name, is_directory)
        if self._wildcards and self._wildcards[0].number > number:
            number = self._last_wildcard_match(path, name, is_directory, number)
        return None if number < 0 else self._decisions[number]

    def _last_table_match(self, path: str, name: str, is_directory: bool) -> int:
        """The number of the last matching rule in the tables, -1 if none matches."""
        if self._ignore_case:
            path, name = path.translate(_LOWERCASE_ASCII), name.translate(_LOWERCASE_ASCII)
        number = self._names.last(name, is_directory)
        if self._paths:
            number = max(number, self._paths.last(path, is_directory))
        if self._suffixes:
            number = max(number, self._suffixes.last_suffix(name, is_directory))
        if self._prefixes:
            number = max(number, self._prefixes.last_prefix(name, is_directory))
        return number

    def _last_wildcard_match(self, path: str, name: str, is_directory: bool, above: int) -> int:
        """The number of the last matching wildcard rule after rule `above`, else `above`."""
        by_name = self._any_name is not None and self._any_name.fullmatch(name) is not None
        by_path = self._any_path is not None and self._any_path.fullmatch(path) is not None
        for wildcard in self._wildcards:
            if wildcard.number < above:
                break
            possible = wildcard.must_match_alone or (by_path if wildcard.rule.whole_path else by_name)
            if possible and (is_directory or not wildcard.rule.only_directories) and wildcard.matches(path, name):
                return wildcard.number
        return above

    def _add(self, rule: Rule, length: int, flags: int) -> bool:
        """False if the rule exceeds the limits."""
        number = len(self._decisions)
        table_entry = self._table_for(rule)
        if number >= MAX_RULES or (table_entry is None and self.weight + length > MAX_WILDCARDS):
            return False
        if table_entry is None:
            self.weight += length
            self._wildcards.append(_WildcardRule(number, rule, flags))
        else:
            table, tokens = table_entry
            key = "".join(token.text for token in tokens)
            table.add(key.translate(_LOWERCASE_ASCII) if self._ignore_case else key, number, rule)
        self._decisions.append(rule.ignore)
        return True

    def _table_for(self, rule: Rule) -> tuple[_RuleTable, tuple[Token, ...]] | None:
        """The table for a rule and its literal text; None for a wildcard."""
        tokens = rule.tokens
        wildcard_positions = [index for index, token in enumerate(tokens) if token.kind is not Kind.CHARACTER]
        if not wildcard_positions:
            return (self._paths if rule.whole_path else self._names), tokens
        if rule.whole_path or len(wildcard_positions) > 1 or tokens[wildcard_positions[0]].kind is not Kind.STAR:
            return None
        if wildcard_positions[0] == 0:
            return self._suffixes, tokens[1:]
        return (self._prefixes, tokens[:-1]) if wildcard_positions[0] == len(tokens) - 1 else None


def _combined(wildcards: list[_WildcardRule], flags: int) -> re.Pattern[str] | None:
    """One regular expression that rejects several rules at once, without those that must be matched alone."""
    alternation = "|".join(f"(?:{wildcard.expression})" for wildcard in wildcards if not wildcard.must_match_alone)
    return re.compile(alternation, flags) if alternation else None


def decide(rule_sets: Sequence[RuleSet], path: str, name: str, is_directory: bool) -> bool | None:
    """The decision of several ignore files for one path, deepest file first."""
    for rules in rule_sets:
        decision = rules.decide(path[len(rules.base) :], name, is_directory)
        if decision is not None:
            return decision
    return None


def parse_rule(line: str, as_bytes: bool = True) -> Rule | None:
    """One line of an ignore file; None for comments, blank lines and patterns that can never match."""
    line = line.removesuffix("\r")
    pattern = _without_trailing_spaces(_bytes_of(line) if as_bytes else line)
    if not pattern or pattern.startswith("#") or len(pattern) > MAX_PATTERN_CHARS:
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
    """Text with one character per byte of its UTF-8: git matches bytes, so "?" is half an "é"."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    slashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if slashes % 2 and len(stripped) < len(line) else stripped
