"""Which lines of which units fill a budget: the form that adds most worth for a token is taken first, again and again.

The lines of a file are a set, so that what overlaps is shown, and paid for, once. Costs are sums over lines, which is a little more
than the text costs; `pack` spends what that leaves.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache

from retrieval.rag.spans import MAX_COPIES
from retrieval.rag.token_estimate import TokenCounter
from retrieval.rag.units import Form, Unit, forms

# What a form is worth, beside all of the unit. Of the chunks that hold a changed line the outline shows it in 3 of 4 cases.
FORM_WORTH: dict[Form, float] = {"signature": 0.1, "outline": 0.75, "whole": 1.0}
# What the first lines of a file are worth besides: they lead to it. With 0.2 and 0.5: files named within 500 tokens .895 and .936,
# changed lines shown within 4,000 .636 and .624.
FILE_WORTH = 0.3
HEADING_TOKENS = 12  # of a section, besides its path
ELLIPSIS_TOKENS = 5
LINES_TOKENS = 4  # of one more range of lines in a heading
COPIES_TOKENS = 8  # and each place that is named, which is about as long as a path
# From this rank on no unit is shown whole: the tokens are worth more as outlines of others.
WHOLE_RANKS = 40

Key = tuple[str, int]  # a file, or a cell of a notebook by its first line


def key_of(unit: Unit) -> Key:
    return (unit.path, unit.cell.first_line if unit.cell else 0)


@dataclass(slots=True)
class _State:
    unit: Unit
    forms: list[tuple[Form, frozenset[int]]]
    line_costs: dict[int, int]
    level: int = -1  # the form that is shown
    shown: int = -1  # how many lines of its file were shown when the costs were computed
    costs: list[int] = field(default_factory=list)  # of each form

    @property
    def worth(self) -> float:
        return FORM_WORTH[self.forms[self.level][0]] if self.level >= 0 else 0.0


@dataclass(slots=True)
class Selection:
    """The lines chosen so far, by file, and the units they are of, best worth for a token first."""

    lines: dict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))
    order: list[tuple[Unit, Form, frozenset[int]]] = field(default_factory=list)


class Chooser:
    """Chooses lines within a budget, which may be raised and chosen within again."""

    def __init__(self, units: Sequence[Unit], count: TokenCounter) -> None:
        self.selection = Selection()
        self.spent = 0
        self._count = cache(count)
        self._states = [self._state(unit) for unit in units]

    def choose(self, budget: int) -> None:
        """Spend a budget, as far as something fits."""
        heap: list[tuple[float, int]] = []
        for number, state in enumerate(self._states):
            if step := self._best_step(state, budget):
                heapq.heappush(heap, (-step[0], number))
        while heap:
            density, number = heapq.heappop(heap)
            state = self._states[number]
            step = self._best_step(state, budget)
            if step is None:
                continue
            # What was shown or spent since may have lowered it.
            if -step[0] > density and heap and -step[0] > heap[0][0]:
                heapq.heappush(heap, (-step[0], number))
                continue
            self._take(state, step[1], step[2])
            if following := self._best_step(state, budget):
                heapq.heappush(heap, (-following[0], number))

    def drop_last(self) -> None:
        """Take back what was chosen last."""
        unit, _, lines = self.selection.order.pop()
        key = key_of(unit)
        others = [shown for other, _, shown in self.selection.order if key_of(other) == key]
        kept = frozenset[int]().union(*others)
        self.selection.lines[key] -= lines - kept
        if not self.selection.lines[key]:
            del self.selection.lines[key]

    def _take(self, state: _State, level: int, cost: int) -> None:
        name, lines = state.forms[level]
        self.selection.lines[key_of(state.unit)] |= lines
        self.selection.order.append((state.unit, name, lines))
        state.level = level
        self.spent += cost

    def _state(self, unit: Unit) -> _State:
        allowed = _allowed(forms(unit), unit.rank)
        costs = {n: self._count(f"{unit.lines[n - unit.first]}\n") for n in allowed[-1][1]}
        return _State(unit, allowed, costs)

    def _best_step(self, state: _State, budget: int) -> tuple[float, int, int] | None:
        """(worth for a token, level, cost) of the best larger form that fits."""
        best: tuple[float, int, int] | None = None
        shown: Collection[int] = self.selection.lines.get(key_of(state.unit), frozenset())
        if state.shown != len(shown):
            state.shown, state.costs = len(shown), [self._cost(state, lines, shown) for _, lines in state.forms]
        opening = 0.0 if shown else FILE_WORTH
        for level in range(state.level + 1, len(state.forms)):
            cost = state.costs[level]
            if cost > budget - self.spent:
                continue
            density = state.unit.worth * (FORM_WORTH[state.forms[level][0]] - state.worth + opening) / max(1, cost)
            if best is None or density > best[0]:
                best = (density, level, cost)
        return best

    def _cost(self, state: _State, lines: frozenset[int], shown: Collection[int]) -> int:
        unit, new = state.unit, lines.difference(shown)
        cost = sum(map(state.line_costs.__getitem__, new))
        cost += (ELLIPSIS_TOKENS + LINES_TOKENS) * sum(n - 1 not in lines and n - 1 not in shown for n in new)
        if not shown:
            cost += HEADING_TOKENS + self._count(unit.path) + self._count(unit.symbol)
        if unit.copies and lines.isdisjoint(shown):
            cost += min(MAX_COPIES, len(unit.copies)) * (COPIES_TOKENS + self._count(unit.path))
        return cost


def _allowed(all_forms: list[tuple[Form, frozenset[int]]], rank: int) -> list[tuple[Form, frozenset[int]]]:
    return all_forms if rank < WHOLE_RANKS or len(all_forms) == 1 else all_forms[:-1]
