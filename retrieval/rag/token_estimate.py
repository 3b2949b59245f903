"""How many tokens a text costs a language model, without one at hand.

The embedded encoder's tokenizer is no measure: it drops punctuation and white space and counts about half (0.56 of
cl100k_base, median over 240 files of 20 projects). The estimate follows how byte-pair vocabularies cut code: words, runs of
digits and punctuation, line breaks with the indentation behind them. Over the same files it is 1.15 times cl100k_base in
the median, 1.03 and 1.27 at the 5th and 95th percentile: a budget is kept with most tokenizers, and little of it is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Count = Callable[[str], int]

LETTERS = 7  # of a word are one token: shorter words are in every vocabulary
DIGITS = 3
MARKS = 2  # of a run of punctuation: "()", "->", "==" are one token each

_RUNS = re.compile(r"([A-Za-z]+)|([0-9]+)|(\n\s*)|([!-/:-@\[-`{-~]+)|([^\x00-\x7f])|[^\S\n]")


def estimate(text: str) -> int:
    """About how many tokens a text is, rather too many than too few."""
    total = 0
    for run in _RUNS.finditer(text):
        word, digits, line, marks, other = run.groups()
        if word:
            total += -(-len(word) // LETTERS)
        elif line:
            total += 1
        elif marks:
            total += -(-len(marks) // MARKS)
        elif digits:
            total += -(-len(digits) // DIGITS)
        elif other:
            total += max(1, len(other.encode("utf-8", "replace")) // 2)  # an emoji is two or three tokens
    return total
