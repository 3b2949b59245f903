"""Whether backtracking can make a regular expression take more than linear time, told by its parse tree.

A pattern becomes a position automaton (Glushkov). Python's engine tries one path through it after another, so its time is
the number of paths that a text has before the match fails:

- exponential where one state has two different loops over the same word, as in `(a+)+b`;
- quadratic or worse where a state loops over a word by which another looping state is reached that loops over it as well, as
  in `a*a*b`; also where a search enters a loop at each place of a run: `\\s+x` on spaces.

A loop that may be left with a match is harmless: it never fails. Lookarounds count as side paths that always fail; a
condition on the place (`$`, `\\b`) counts as one that may fail. So some harmless patterns are reported, but none of these
kinds goes unseen. Not seen: paths that differ in empty parts only, and back references.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

with warnings.catch_warnings():  # named `re._parser` from 3.11 on
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_constants as ops
    import sre_parse

# Stand for all characters: those of ASCII, and letters, digits, spaces, marks and symbols beyond.
ALPHABET = "".join(map(chr, range(128))) + "\x85\xa0éÉßΩжЖ中３٣\u0301\u2003\u2028\u200b–€🙂"
_ALL = (1 << len(ALPHABET)) - 1
_COPIES = 100  # a bounded repeat of one character becomes so many states, of more than one character a tenth
_CLASSES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D", ops.CATEGORY_SPACE: r"\s", ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
GROUPS = {getattr(ops, name) for name in ("SUBPATTERN", "ATOMIC_GROUP") if hasattr(ops, name)}
REPEATS = {getattr(ops, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(ops, name)}


_masks: dict[tuple[int, bool, str, str], int] = {}


@dataclass(frozen=True)
class _Part:
    """A part of a pattern: where it begins and ends, whether it may be empty, and whether it may be for certain."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: bool = True
    surely_empty: bool = True
    final: frozenset[int] = frozenset()  # the states after which nothing of it can fail any more


@dataclass
class Automaton:
    flags: int
    binary: bool
    masks: list[int] = field(default_factory=list)  # by state: which characters of the alphabet lead to it
    follow: Counter[tuple[int, int]] = field(default_factory=Counter)
    final: frozenset[int] = frozenset()

    def state(self, mask: int) -> _Part:
        self.masks.append(mask)
        at = len(self.masks) - 1
        return _Part((at,), (at,), False, False, frozenset({at}))

    def join(self, left: _Part, right: _Part) -> _Part:
        self.follow.update((a, b) for a in left.last for b in right.first)
        return _Part(
            left.first + (right.first if left.empty else ()),
            right.last + (left.last if right.empty else ()),
            left.empty and right.empty,
            left.surely_empty and right.surely_empty,
            right.final | (left.final if right.surely_empty else frozenset()),
        )

    def repeat(self, part: _Part) -> _Part:
        self.follow.update((a, b) for a in part.last for b in part.first)
        return part

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> _Part:
        whole = _Part()
        for op, value in items:
            whole = self.join(whole, self.part(op, value))
        return whole

    def part(self, op: Any, value: Any) -> _Part:
        if op in REPEATS:
            return self.repeated(*value)
        if op in GROUPS:
            return self.group(value)
        if op is ops.BRANCH:
            return _either([self.sequence(items) for items in value[1]])
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            if value[0] < 0:
                return _Part(surely_empty=False)  # looking behind takes a bounded number of steps
            ahead = self.sequence(value[1])
            return _Part(first=ahead.first, surely_empty=False)  # no state of it leads on
        if op is ops.AT:
            return _Part(surely_empty=False)
        if op in (ops.GROUPREF, ops.GROUPREF_EXISTS):
            return (
                _Part(surely_empty=False)
                if op is ops.GROUPREF
                else _either([_Part(), *map(self.sequence, filter(None, value[1:]))])
            )
        return self.state(self.mask(op, value))

    def group(self, value: Any) -> _Part:
        if not isinstance(value, tuple):
            return self.sequence(value)  # atomic
        _, added, removed, items = value
        before, self.flags = self.flags, (self.flags | added) & ~removed
        part = self.sequence(items)
        self.flags = before
        return part

    def repeated(self, least: int, most: int, items: Any) -> _Part:
        single = len(items) == 1 and items[0][0] in (ops.IN, ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.CATEGORY)
        bounded = most <= (_COPIES if single else _COPIES // 10)
        whole = _Part()
        for _ in range(min(least, _COPIES) if bounded or least > 1 else 0):
            whole = self.join(whole, self.sequence(items))
        if bounded:
            rest = _Part()
            for _ in range(most - least):
                rest = replace(self.join(self.sequence(items), rest), empty=True, surely_empty=True)
            return self.join(whole, rest)
        loop = self.repeat(self.sequence(items))
        if least == 0 or least > 1:
            loop = replace(loop, empty=True, surely_empty=True)
        return self.join(whole, loop)

    def mask(self, op: Any, value: Any) -> int:
        key = (self.flags, self.binary, str(op), str(value))
        if key not in _masks:
            _masks[key] = sum(1 << n for n, char in enumerate(ALPHABET) if self.takes(op, value, char))
        return _masks[key]

    def takes(self, op: Any, value: Any, char: str) -> bool:
        if self.flags & re.IGNORECASE and op in (ops.LITERAL, ops.NOT_LITERAL, ops.IN):
            forms = {char, char.lower(), char.upper()} - {""}
            if op is ops.NOT_LITERAL:
                return not any(form == chr(value) for form in forms)
            return any(self._plain(op, value, form) for form in forms if len(form) == 1)
        return self._plain(op, value, char)

    def _plain(self, op: Any, value: Any, char: str) -> bool:
        if op is ops.LITERAL or op is ops.NOT_LITERAL:
            return (char == chr(value)) is (op is ops.LITERAL)
        if op is ops.ANY:
            return char != "\n" or bool(self.flags & re.DOTALL)
        if op is ops.RANGE:
            return value[0] <= ord(char) <= value[1]
        if op is ops.CATEGORY:
            ascii_only = re.ASCII if self.binary else self.flags & re.ASCII
            return re.match(_CLASSES[value], char, ascii_only) is not None
        negated = value[0][0] is ops.NEGATE
        return any(self._plain(*item, char) for item in value[negated:]) is not negated


def _either(parts: list[_Part]) -> _Part:
    return _Part(
        sum((part.first for part in parts), ()),
        sum((part.last for part in parts), ()),
        any(part.empty for part in parts),
        any(part.surely_empty for part in parts),
        frozenset().union(*(part.final for part in parts)),
    )


def automaton(pattern: re.Pattern[Any], use: str) -> Automaton:
    """Of a pattern as it is used: `match`, `fullmatch`, or `search` for whatever looks at all places of a text."""
    tree = sre_parse.parse(pattern.pattern, pattern.flags)
    made = Automaton(pattern.flags, isinstance(pattern.pattern, bytes))
    body = made.sequence(tree)
    if use == "search" and (before := _before(made, tree)) is not None:
        body = made.join(before, body)
    made.final = body.final if use != "fullmatch" else frozenset()
    return made


def _before(made: Automaton, tree: Any) -> _Part | None:
    """What a search passes before the match begins: nothing where the pattern can only match at the beginning."""
    first = tree[0] if len(tree) else (None, None)
    if first[0] is ops.AT and first[1] in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
        if first[1] is ops.AT_BEGINNING_STRING or not made.flags & re.MULTILINE:
            return None
        start = replace(made.repeat(made.state(_ALL)), empty=True)
        return replace(made.join(start, made.state(1 << ALPHABET.index("\n"))), empty=True)
    return replace(made.repeat(made.state(_ALL)), empty=True)


def trouble(pattern: re.Pattern[Any], use: str) -> str:
    """ "exponential", "quadratic" or ""."""
    made = automaton(pattern, use)
    after: dict[int, list[int]] = defaultdict(list)
    before: dict[int, list[int]] = defaultdict(list)
    for a, b in made.follow:
        after[a].append(b)
        before[b].append(a)
    loops = [group for group in _components(range(len(made.masks)), after) if len(group) > 1 or _loops(made, group)]
    if any(_exponential(made, group, after) for group in loops):
        return "exponential"
    ahead, behind = {p: _reachable(p, after) for p in loops}, {q: _reachable(q, before) for q in loops}
    return (
        "quadratic"
        if any(_quadratic(made, p, q, after, ahead[p] & behind[q]) for p in loops for q in loops if p is not q)
        else ""
    )


def _loops(made: Automaton, group: frozenset[int]) -> bool:
    (only,) = group
    return (only, only) in made.follow


def _exponential(made: Automaton, group: frozenset[int], after: dict[int, list[int]]) -> bool:
    if any(made.follow[a, b] > 1 for a in group for b in after[a] if b in group):
        return True

    inner = {a: [b for b in after[a] if b in group] for a in group}

    def pairs(at: tuple[int, int]) -> Iterator[tuple[int, int]]:
        one, other = at
        for a in inner[one]:
            mask = made.masks[a]
            for b in inner[other] if one != other else inner[one]:
                if b <= a and mask & made.masks[b]:  # both orders are the same pair
                    yield (a, b)
                elif mask & made.masks[b]:
                    yield (b, a)

    graph = _graph([(state, state) for state in group], pairs)
    return any(
        any(a == b for a, b in component) and any(a != b for a, b in component)
        for component in _components(graph, graph)
    )


def _quadratic(
    made: Automaton, ps: frozenset[int], qs: frozenset[int], after: dict[int, list[int]], middle: frozenset[int]
) -> bool:
    """Whether a state p of one component loops over a word by which it reaches q of another, which loops over it too;
    `middle` are the states between the two, both included."""
    if qs <= made.final or not middle:
        return False

    def both(at: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for a in after[at[0]]:
            for b in after[at[1]]:
                if a in ps and b in qs and made.masks[a] & made.masks[b]:
                    yield (a, b)

    product = _graph([(p, q) for p in ps for q in qs if made.masks[p] & made.masks[q]], both)

    def three(at: tuple[int, int, int], pairs: frozenset[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Steps of three paths by one word; the outer two come back to where they began, so they stay in one component."""
        for a, c in product[at[0], at[2]]:
            if (a, c) in pairs:
                shared = made.masks[a] & made.masks[c]
                yield from ((a, b, c) for b in after[at[1]] if b in middle and made.masks[b] & shared)

    for group in _components(product, product):
        pairs = [(p, q) for p, q in group if q not in made.final and (len(group) > 1 or (p, q) in product[p, q])]
        step = partial(three, pairs=group)
        together = _graph(
            [(p, p, q) for p, q in pairs], step
        )  # one walk from all of them: what it misses, none reaches
        if any((p, q, q) in together and (p, q, q) in _graph([(p, p, q)], step) for p, q in pairs):
            return True
    return False


def _reachable(start: Iterable[int], after: dict[int, list[int]]) -> frozenset[int]:
    return frozenset(_graph(list(start), lambda state: iter(after.get(state, ()))))


def _graph(start: Iterable[Any], after: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    stack = list(start)
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = list(after(node))
            stack.extend(found[node])
    return found


def _components(nodes: Iterable[Any], after: Any) -> list[frozenset[Any]]:
    """The strongly connected components of a graph (Tarjan, without recursion)."""
    index: dict[Any, int] = {}
    low: dict[Any, int] = {}
    open_: list[Any] = []
    inside: set[Any] = set()
    out = []
    for root in nodes:
        if root in index:
            continue
        work: list[tuple[Any, Iterator[Any]]] = [(root, iter(after[root]))]
        index[root] = low[root] = len(index)
        open_.append(root)
        inside.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    open_.append(other)
                    inside.add(other)
                    work.append((other, iter(after[other])))
                    break
                if other in inside:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = set()
                    while not group or group.isdisjoint({node}):
                        group.add(open_[-1])
                        inside.discard(open_.pop())
                    out.append(frozenset(group))
    return out
