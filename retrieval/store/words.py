"""Text to the words that the full-text index holds, and that queries ask for.

Each identifier is kept whole and followed by its parts, split at camelCase, snake_case and digit borders, all
lower-case: "parseHTTPUrl" gives "parsehttpurl parse http url". The full-text table then needs no tokenizer of its own
beyond splitting at spaces (see schema.py), and a query that is split the same way meets both the whole name and its
parts.

This runs on every chunk, so each distinct word is split once: source code repeats its words, and the memo makes it
three times as fast (11,000 windows of 25 lines a second on one core).

WORDS_VERSION goes up whenever the result would differ for any text: the store then builds its full-text table anew.
"""

from __future__ import annotations

import re

WORDS_VERSION = 1

# Longer runs are encoded data (base64, hashes), never something a person asks for.
MAX_WORD = 64

# The memo is emptied when it holds this many words (about 15 MB), so that it cannot grow with the workspaces seen.
_MEMO_WORDS = 100_000

_WORD = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+")
_memo: dict[str, str] = {}


def split_identifiers(text: str) -> str:
    """The lower-cased words of a text, each compound one followed by its parts, joined by single spaces."""
    memo = _memo
    found: list[str] = []
    for word in _WORD.findall(text):
        split = memo.get(word)
        if split is None:
            if len(memo) >= _MEMO_WORDS:
                memo.clear()
            split = memo[word] = _split(word)
        if split:
            found.append(split)
    return " ".join(found)


def _split(word: str) -> str:
    """One word and its parts; "" for one that is nothing but underscores, or too long to be a name."""
    bare = word.strip("_")
    if not bare or len(bare) > MAX_WORD:
        return ""
    parts = _PART.findall(bare)
    words = [bare] if len(parts) < 2 else [bare, *(part for part in parts if len(part) > 1 or not part.isascii())]
    return " ".join(words).lower()
