"""Text to the words that the full-text index holds, and that queries ask for.

Each identifier is kept whole and followed by its parts, split at camelCase, snake_case and digit borders, each
lower-case and stemmed: "parseHTTPHeaders" gives "parsehttphead pars http head". The full-text table then
needs no tokenizer of its own beyond splitting at spaces (see schema.py), and a query that is split the same way meets
both the whole name and its parts. Stems raise NDCG@10 on the development benchmark from 0.844 to 0.858; Porter's,
which FTS5 offers, give 0.862, no more than noise, but count under stems that only FTS5 can compute, and keep "parser"
apart from "parsing".

Other scripts are written without spaces, or inflect words in ways that English endings say nothing of. So a run of Chinese,
Japanese or Korean is indexed as each two neighboring characters, and any other word with letters beyond ASCII as each
four, without accents: "скидка" and "скидку" meet, and so do "geprüft" and "prüft".

This runs on every chunk, so each distinct word is split once: source code repeats its words, and the memo is three
times as fast (11,000 windows of 25 lines a second on one core).

WORDS_VERSION goes up whenever the result would differ for any text: the store then builds its full-text table anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

WORDS_VERSION = 3  # 1: without stems, 2: words beyond ASCII whole only

# Longer runs are encoded data (base64, hashes), never something a person asks for.
MAX_WORD = 64

# The memo is emptied when it holds this many words (about 30 MB), so that it cannot grow with the workspaces seen.
_MEMO_WORDS = 200_000

# Queries are split by the same two, so that they meet what was indexed.
WORD = re.compile(r"\w+")
# Letters beyond ASCII go with the lower-case ones: of the scripts that have cases few are written in camelCase.
PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")


# Of a chunk: symbol, path with scope, body, split as the full-text table holds them; and these after the row's id.
Words = tuple[str, str, str]
TermRow = tuple[int, str, str, str]
# Han, kana and Hangul: written without spaces, or with particles that are not set apart.
CJK = re.compile(
    r"[\u1100-\u11ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]+"
)
# Characters that are indexed together, in CJK and in other words beyond ASCII.
_CJK_GRAM, _GRAM = 2, 4


class _Memo(dict[str, str]):
    """Words that were split before. A dict that fills itself, so that the loop over a text's words runs in C."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _MEMO_WORDS:
            self.clear()
        split = self[word] = _split(word)
        return split


_split_word = _Memo().__getitem__


def split_identifiers(text: str) -> str:
    """The stems of a text's words, each compound one followed by those of its parts, joined by single spaces."""
    return " ".join(filter(None, map(_split_word, WORD.findall(composed(text)))))


def holds_words(text: str, terms: Sequence[str]) -> list[bool]:
    """Which of some terms are among the words of a text, without splitting all of it: a stem begins a part of a word."""
    if not text.isascii():
        words = frozenset(split_identifiers(text).split())
        return [term in words for term in terms]
    low = text.lower()
    return [_holds_word(text, low, term) for term in terms]


def _holds_word(text: str, low: str, term: str) -> bool:
    at = low.find(term)
    while at >= 0:
        start = at
        while start and (low[start - 1].isalnum() or low[start - 1] == "_"):
            start -= 1
        match = WORD.match(text, start)
        if match is None:
            return False
        if term in _split_word(match[0]).split():
            return True
        at = low.find(term, match.end())
    return False


def composed(text: str) -> str:
    """A text with its accents composed, as most editors write them: some file systems and keyboards take them apart."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words_of(word: str) -> list[str]:
    """A word as it is written, without outer underscores, and its parts where it has some: of letters beyond ASCII the
    sub-words too. None for one that is nothing but underscores, or too long to be a name.
    """
    bare = word.strip("_")
    if bare.isascii():
        if not bare or len(bare) > MAX_WORD:
            return []
        parts = PART.findall(bare)
        return [bare] if len(parts) < 2 else [bare, *(part for part in parts if len(part) > 1)]
    parts = PART.findall(_bounded(bare))
    inner = [piece for part in parts if len(part) > 1 or not part.isascii() for piece in (part, *subwords(part))]
    whole = [bare] if len(bare) <= MAX_WORD else []
    return list(dict.fromkeys([*whole, *(piece for piece in inner if len(piece) <= MAX_WORD)]))


def subwords(part: str) -> list[str]:
    """What a part with letters beyond ASCII is found by as well: each two characters of a CJK run, else each four."""
    if part.isascii():
        return []
    runs = CJK.findall(part)
    if not runs:
        plain = unaccented(part.lower())
        return _grams(plain, _GRAM)
    others = [run for run in CJK.split(part) if len(run) > 1]
    return [gram for run in runs for gram in _grams(run, _CJK_GRAM)] + others


def unaccented(text: str) -> str:
    """Each letter without its accents: as many characters as before."""
    return "".join(map(_base_letter, text))


def _base_letter(letter: str) -> str:
    if letter.isascii() or CJK.match(letter):
        return letter
    decomposed = unicodedata.normalize("NFD", letter)
    return decomposed[0] if all(map(unicodedata.combining, decomposed[1:])) else letter


def _grams(text: str, size: int) -> list[str]:
    return [text[n : n + size] for n in range(max(1, len(text) - size + 1))]


def _bounded(word: str) -> str:
    """A word with the borders of camelCase marked where they lie between letters beyond ASCII."""
    return word[:1] + "".join(
        f"_{b}" if a.islower() and b.isupper() and not b.isascii() else b for a, b in pairwise(word)
    )


def terms_of(row: Sequence[object]) -> TermRow:
    """(id, symbol, path, scope, text) as the full-text table's row."""
    number, symbol, path, scope, text = row
    assert isinstance(number, int)
    return number, split_identifiers(str(symbol)), split_identifiers(f"{path} {scope}"), split_identifiers(str(text))


def _split(word: str) -> str:
    return " ".join(stem(part.lower()) for part in words_of(word))


_SUFFIXES = frozenset(
    """izations ization ations ation itions ition ators ator ities ity ments ment ings ing ions ion ers er ors or
    ies ied ed es s e y able ible al ic ly""".split()
)
_LONGEST_SUFFIX = max(map(len, _SUFFIXES))
_MIN_STEM = 3  # "string" must not become "str" by way of "ing", but "parse", "parser", "parsing" must meet


def stem(word: str) -> str:
    """A lower-case word without its longest ending, so that parse, parser, parsing and parses meet: in code the agent
    ("router") and the act ("routing", "routes") mean the same place."""
    for length in range(min(_LONGEST_SUFFIX, len(word) - _MIN_STEM), 0, -1):
        if word[-length:] in _SUFFIXES:
            bare = word[:-length]
            return bare[:-1] if len(bare) > _MIN_STEM and bare[-1] == bare[-2] else bare
    return word
