"""Texts that make a regular expression backtrack, made from its parse tree, and long runs of each class of characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.security.backtracking import ALPHABET, GROUPS, REPEATS, Automaton, ops, sre_parse

RUNS = (
    " ", "\n", "\r\n", "\r", "\t", "a", "A", "0", "_", "é", "中", "\xa0", "\u2003", "\u0301", *"!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~",
    "a ", "A ", "( ", "/*", "*/", "()", "<>", "a.", "a::", "Aa", "a\n", " \n", "\\\"", "a, ", "'''", "[]", "--",
    "{ ", "= ", "\t \n",
)  # fmt: skip
FEW_RUNS = (" ", "\n", "\t", "a", "A", "_", "(", "*", "a ", "/*", "a.", " \n")
ENDS = ("", "\n\0", "\0!")
_LIKED = 'a A0_\n-.*"(<[é'  # of a class, these in the first place


def texts(pattern: re.Pattern[Any], size: int, *, few: bool, every: int = 1) -> Iterator[str]:
    """Texts of about so many characters; of the long runs a few, and of the others every so manyth."""
    tree = sre_parse.parse(pattern.pattern, pattern.flags)
    starts = {"": None}
    made = Automaton(pattern.flags, isinstance(pattern.pattern, bytes))
    units: dict[tuple[str, str], None] = {}
    for before, unit in _repeats(made, list(tree), ""):
        units[before, unit] = None
        units["", before + unit] = None  # as `/*` over and over, where nothing ends it
        starts[before] = None
    for run in FEW_RUNS if few else dict.fromkeys((*FEW_RUNS, *RUNS[::every])):
        for start in list(starts)[: 1 if few else 3]:
            units[start, run] = None
    for before, unit in units:
        if unit:
            for end in ENDS[1:2] if few else ENDS:
                yield before + unit * max(1, (size - len(before)) // len(unit)) + end


def _repeats(made: Automaton, items: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """What stands before each repeat that has no small bound, with what it repeats."""
    for op, value in items:
        if op in REPEATS:
            inner = list(value[2])
            if value[1] > 20:
                for n in range(4):
                    if unit := _sample(made, inner, n):
                        yield before, unit
            yield from _repeats(made, inner, before)
        elif op in GROUPS:
            inner = list(value[3] if isinstance(value, tuple) else value)
            yield from _repeats(made, inner, before)
        elif op is ops.BRANCH:
            for branch in value[1]:
                yield from _repeats(made, list(branch), before)
        elif op in (ops.ASSERT, ops.ASSERT_NOT) and value[0] > 0:
            yield from _repeats(made, list(value[1]), before)
        before += _sample(made, [(op, value)], 0)


def _sample(made: Automaton, items: list[Any], nth: int) -> str:
    """A text that the items match: of classes and branches the nth choice."""
    out = ""
    for op, value in items:
        if op in REPEATS:
            out += _sample(made, list(value[2]), nth) * max(value[0], 1 if nth % 2 else value[0])
        elif op in GROUPS:
            out += _sample(made, list(value[3] if isinstance(value, tuple) else value), nth)
        elif op is ops.BRANCH:
            out += _sample(made, list(value[1][nth % len(value[1])]), nth)
        elif op in (ops.IN, ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.CATEGORY):
            mask = made.mask(op, value)
            chars = [c for c in _LIKED if mask >> ALPHABET.index(c) & 1] or [
                c for n, c in enumerate(ALPHABET) if mask >> n & 1
            ]
            out += chars[nth % len(chars)] if chars else ""
    return out
