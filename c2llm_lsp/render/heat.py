"""An explanation as rows of text with heat: what the terminal and the page show alike."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.types import Explanation, Look, WordMatch

# A token's weight in parts of what it would have if all were alike, from which on it is warm, hot, ... The embedded
# model's weights lie between 0.2 and 3: half of all tokens stay cold.
HEATS = (1.2, 1.6, 2.2, 3.0)
STRONG = 0.5  # an effect of this part of the largest is made to stand out
SMALL = 0.0005  # an effect that would be shown as zero
MOST = 6  # words named as those that are looked at most
_ROW = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Part:
    """Text of one heat: 0 is cold, len(HEATS) the hottest."""

    text: str
    heat: int
    weight: float


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    parts: tuple[Part, ...]
    attention: float
    bar: float  # attention in parts of the row with the most
    effect: float | None
    strength: float  # size of the effect in parts of the largest
    read: bool

    @property
    def small(self) -> bool:
        return abs(self.effect or 0.0) < SMALL


def rows_of(explanation: Explanation) -> list[Row]:
    """All lines of the chunk, blank ones too."""
    most = max((line.attention for line in explanation.lines), default=0.0) or 1.0
    largest = max((abs(line.effect) for line in explanation.lines if line.effect is not None), default=0.0) or 1.0
    lines, tokens = iter(explanation.lines), len(explanation.looks) + len(explanation.header)
    rows: list[Row] = []
    number = explanation.chunk.start_line
    for text, start in _texts(explanation.chunk.text):
        known = next(lines, None) if text.strip() else None
        number = known.line if known else min(explanation.chunk.start_line + len(rows), explanation.chunk.end_line)
        attention, effect = (known.attention, known.effect) if known else (0.0, None)
        rows.append(
            Row(
                number,
                tuple(_parts(text, start, explanation.looks, tokens)),
                attention,
                attention / most,
                effect,
                abs(effect or 0.0) / largest,
                not explanation.unread_from or number < explanation.unread_from,
            )
        )
    return rows


def _texts(text: str) -> Iterator[tuple[str, int]]:
    """Each row of a text, and where it starts."""
    for row in _ROW.finditer(text):
        yield row[1], row.start()
        if not row[2]:
            return


def _parts(text: str, start: int, looks: tuple[Look, ...], tokens: int) -> Iterator[Part]:
    at = 0
    for look in looks:
        first, end = max(look.start - start, at), min(look.end - start, len(text))
        if first < end:
            if first > at:
                yield Part(text[at:first], 0, 0.0)
            yield Part(text[first:end], sum(look.weight * tokens >= heat for heat in HEATS), look.weight)
            at = end
    if at < len(text):
        yield Part(text[at:], 0, 0.0)


def most_looked_at(explanation: Explanation) -> list[tuple[str, float]]:
    """The words with the most attention, all their places together."""
    totals: dict[str, float] = defaultdict(float)
    start = end = -1
    weight = 0.0
    for look in (*explanation.looks, None):
        if look is not None and look.start == end:  # a word that the model reads as several tokens
            end, weight = look.end, weight + look.weight
            continue
        if word := explanation.chunk.text[start:end].strip().lower() if end > 0 else "":
            totals[word] += weight
        if look is not None:
            start, end, weight = look.start, look.end, look.weight
    return heapq.nlargest(MOST, totals.items(), key=lambda item: item[1])


def signed(effect: float | None) -> str:
    """An effect as it is shown; no sign where it is as good as nothing."""
    if effect is None:
        return ""
    return "0.000" if abs(effect) < SMALL else f"{effect:+.3f}"


def header_share(explanation: Explanation) -> float:
    return sum(look.weight for look in explanation.header)


def sentences(explanation: Explanation) -> list[str]:
    """What the numbers say, one plain sentence each."""
    said = list(explanation.notes)
    if explanation.similarity is not None:
        bare = explanation.similarity - (explanation.header_effect or 0.0)
        said.append(
            f"The similarity to the query is {explanation.similarity:.3f}; without path and name it would be {bare:.3f}. "
            "An effect is what it loses without the line."
        )
    if explanation.looks:
        words = ", ".join(f"{word} {weight:.1%}" for word, weight in most_looked_at(explanation))
        said.append(
            f"Path and name take {header_share(explanation):.0%} of the attention; in the code most goes to {words}."
        )
        said.append(
            f"Attention is spread as if over {2**explanation.entropy:.0f} of {2**explanation.uniform:.0f} tokens alike "
            f"(entropy {explanation.entropy:.2f} of {explanation.uniform:.2f} bits)."
        )
    if explanation.unread_from:
        said.append(
            f"The model's window ends before line {explanation.unread_from}: what follows is found by its words only."
        )
    said += [_of_word(match) for match in explanation.words]
    return said


def _of_word(match: WordMatch) -> str:
    places = [name for name, there in (("name", match.in_name), ("path", match.in_path)) if there]
    if match.lines:
        lines = list(dict.fromkeys(match.lines))
        shown = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
        places.append(f"line{'s' if len(lines) > 1 else ''} {shown}")
    return f"'{match.word}' (rarity {match.rarity:.1f}): {', '.join(places) or 'nowhere here'}."
