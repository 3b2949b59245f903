"""An explanation as rows of text with heat, which the terminal and the HTML page share."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.types import Explanation, TokenAttention, WordMatch

# Lower bounds of the heats: a token's weight relative to a uniform one. The embedded model's relative weights lie between
# 0.2 and 3: half of all tokens stay cold.
HEAT_THRESHOLDS = (1.2, 1.6, 2.2, 3.0)
STRONG = 0.5  # an effect of at least this share of the largest is emphasized
NEGLIGIBLE = 0.0005  # an effect that rounds to zero
TOP_WORDS = 6  # words listed as those with the most attention
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class HeatSpan:
    """Text of one heat: 0 is cold, len(HEAT_THRESHOLDS) the hottest."""

    text: str
    heat: int
    weight: float


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One line of the chunk."""

    line: int
    spans: tuple[HeatSpan, ...]
    attention: float
    bar: float  # attention relative to the row with the most
    effect: float | None
    strength: float  # size of the effect relative to the largest
    read: bool  # within what the encoder reads

    @property
    def negligible(self) -> bool:
        return abs(self.effect or 0.0) < NEGLIGIBLE


def heat_rows(explanation: Explanation) -> list[HeatRow]:
    """All lines of the chunk, blank ones too."""
    most = max((line.attention for line in explanation.lines), default=0.0) or 1.0
    largest = max((abs(line.effect) for line in explanation.lines if line.effect is not None), default=0.0) or 1.0
    lines, tokens = iter(explanation.lines), len(explanation.tokens) + len(explanation.header)
    rows: list[HeatRow] = []
    number = explanation.chunk.start_line
    for text, start in _split_lines(explanation.chunk.text):
        line = next(lines, None) if text.strip() else None
        number = line.line if line else min(explanation.chunk.start_line + len(rows), explanation.chunk.end_line)
        attention, effect = (line.attention, line.effect) if line else (0.0, None)
        rows.append(
            HeatRow(
                number,
                tuple(_heat_spans(text, start, explanation.tokens, tokens)),
                attention,
                attention / most,
                effect,
                abs(effect or 0.0) / largest,
                not explanation.unread_from or number < explanation.unread_from,
            )
        )
    return rows


def _split_lines(text: str) -> Iterator[tuple[str, int]]:
    """Each line of a text, and its offset."""
    for line in _LINE.finditer(text):
        yield line[1], line.start()
        if not line[2]:
            return


def _heat_spans(text: str, start: int, looks: tuple[TokenAttention, ...], tokens: int) -> Iterator[HeatSpan]:
    at = 0
    for look in looks:
        first, end = max(look.start - start, at), min(look.end - start, len(text))
        if first < end:
            if first > at:
                yield HeatSpan(text[at:first], 0, 0.0)
            yield HeatSpan(
                text[first:end], sum(look.weight * tokens >= threshold for threshold in HEAT_THRESHOLDS), look.weight
            )
            at = end
    if at < len(text):
        yield HeatSpan(text[at:], 0, 0.0)


def top_words(explanation: Explanation) -> list[tuple[str, float]]:
    """The words with the most attention, summed over all occurrences."""
    totals: dict[str, float] = defaultdict(float)
    start = end = -1
    weight = 0.0
    for look in (*explanation.tokens, None):
        if look is not None and look.start == end:  # a word that the model reads as several tokens
            end, weight = look.end, weight + look.weight
            continue
        if word := explanation.chunk.text[start:end].strip().lower() if end > 0 else "":
            totals[word] += weight
        if look is not None:
            start, end, weight = look.start, look.end, look.weight
    return heapq.nlargest(TOP_WORDS, totals.items(), key=lambda item: item[1])


def format_effect(effect: float | None) -> str:
    """An effect with its sign; a negligible one as zero."""
    if effect is None:
        return ""
    return "0.000" if abs(effect) < NEGLIGIBLE else f"{effect:+.3f}"


def header_share(explanation: Explanation) -> float:
    return sum(look.weight for look in explanation.header)


def summary(explanation: Explanation) -> list[str]:
    """What the numbers mean, one sentence each."""
    sentences = list(explanation.notes)
    if explanation.similarity is not None:
        without_header = explanation.similarity - (explanation.header_effect or 0.0)
        sentences.append(
            f"The similarity to the query is {explanation.similarity:.3f}; without path and name it would be {without_header:.3f}. "
            "The effect of a line is how much it drops without that line."
        )
    if explanation.tokens:
        words = ", ".join(f"{word} {weight:.1%}" for word, weight in top_words(explanation))
        sentences.append(
            f"Path and name take {header_share(explanation):.0%} of the attention; in the code most goes to {words}."
        )
        sentences.append(
            f"Attention is spread as if evenly over {2**explanation.entropy:.0f} of {2**explanation.uniform:.0f} tokens "
            f"(entropy {explanation.entropy:.2f} of {explanation.uniform:.2f} bits)."
        )
    if explanation.unread_from:
        sentences.append(
            f"The model's window ends before line {explanation.unread_from}: what follows is found by keyword search only."
        )
    sentences += [_word_sentence(match) for match in explanation.words]
    return sentences


def _word_sentence(match: WordMatch) -> str:
    locations = [name for name, present in (("name", match.in_name), ("path", match.in_path)) if present]
    if match.lines:
        lines = list(dict.fromkeys(match.lines))
        numbers = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
        locations.append(f"line{'s' if len(lines) > 1 else ''} {numbers}")
    return f"'{match.word}' (rarity {match.rarity:.1f}): {', '.join(locations) or 'nowhere here'}."
