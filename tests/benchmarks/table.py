"""Measurements as rows: the value, the budget of the design, and a named alternative measured in the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Verdict = Literal["kept", "missed", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` says how many times better than the alternative; below 1 it is worse."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    more_is_better: bool = False
    alternative: str = ""
    other: float | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.budget is None:
            return ""
        kept = self.value >= self.budget if self.more_is_better else self.value <= self.budget
        return "kept" if kept else "missed"

    @property
    def ratio(self) -> float | None:
        if self.other is None or not self.other or not self.value:
            return None
        return self.value / self.other if self.more_is_better else self.other / self.value


def markdown(rows: list[Row]) -> str:
    """The rows as a table for a terminal and for the README."""
    lines = ["| what | measured | budget | alternative | how many times better |", "|---|---|---|---|---|"]
    for row in rows:
        sign = "≥" if row.more_is_better else "≤"
        budget = "" if row.budget is None else f"{sign} {number(row.budget)} {row.unit} ({row.verdict})"
        other = row.alternative if row.other is None else f"{row.alternative}: {number(row.other)} {row.unit}"
        ratio = "" if row.ratio is None else f"{number(row.ratio)}"
        lines.append(f"| {row.what} | {number(row.value)} {row.unit} | {budget} | {other} | {ratio} |")
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def number(value: float) -> str:
    """Three significant digits are what such a measurement is worth; recalls near 1 get four."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4g}" if 0.9 <= value < 1 else f"{value:.3g}"


def as_dicts(rows: list[Row]) -> list[dict[str, object]]:
    return [{**asdict(row), "verdict": row.verdict, "ratio": row.ratio} for row in rows]
