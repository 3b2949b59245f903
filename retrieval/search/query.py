"""What a query asks for: its words, the code names in it, what it quotes, and whether it is nothing but a name.

A query is plain language ("how are redirects followed"), a name (`HandlerStack`, `Session.send`), or both. Words feed
BM25 and the name and path signals, names feed the symbol look-up, and names and "quoted" text are looked for as they are
written. Nothing here looks at the index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.errors import QueryError
from retrieval.search.query_kinds import asks_for_documents, describes_change
from retrieval.store import WORD, composed, stem, words_of

# Longer queries are pasted code or logs: beyond this much text neither BM25 nor the encoder gains anything.
MAX_QUERY_CHARS = 4_000
# An OR of more terms than this costs BM25 more than it adds; the rarest are kept.
MAX_TERMS = 32

# Longer queries say a thing in words of their own; they are looked for as a whole by nobody.
MAX_PHRASE_WORDS = 8

# Words of questions, not of code.
STOP_WORDS = frozenset(
    """a an and are as at be by can do does for from get gets has have how i if in into is it its me my of on or so
    that the their them then there these they this to use used uses using via was we what when where which who why
    will with without you your code find show implemented implementation implement defined work works working""".split()
)

# A dotted, ::-ed or ->-ed name, with or without a call's parentheses: Session.send, std::vector, app->run()
_JOINED = re.compile(r"\.|::|->|#|_|\$")
_CASES = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d")
_NAME = re.compile(r"(?:[^\W\d]|\$)[\w$]*(?:(?:\.|::|->|#)(?:[^\W\d]|\$)[\w$]*)*(?:\(\))?")
# Where it is the whole query: a class of a style sheet, a paragraph of COBOL, a header, a package.
_HYPHENATED = re.compile(r"[^\W\d]\w*(?:-\w+)+")
# What stands in quotes of its own, not in those of code or of an error message: `say("hello", ...)`, `"a": 1`
_QUOTED = re.compile(r'(?<!\S)["\u201c\u201e]([^"\u201c-\u201e\n]+)["\u201c\u201d](?!\S)')


@dataclass(frozen=True, slots=True)
class Query:
    """A query taken apart. `terms` are stems as the full-text index holds them, without stop words."""

    text: str
    terms: tuple[str, ...]
    parts: tuple[str, ...]  # the terms that are no compounds of others: getUser is left to get and user
    names: tuple[str, ...]  # what looks like a name in code, as written
    is_name: bool  # the whole query is one name
    is_code_name: bool = False  # ... that is no plain word: it is meant as it is written
    quoted: tuple[str, ...] = ()  # what an answer must hold as it is written
    phrase: str = ""  # the whole query, where it is a few words
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()  # as written, each with its terms; without stop words
    length: int = 0  # terms, without the sub-words of a word beyond ASCII
    foreign: float = 0.0  # the share of its letters that are beyond ASCII
    is_change: bool = False  # it says what is to be changed, or what is wrong: lines are meant, not a file
    asks_for_documents: bool = False


def parse(text: str) -> Query:
    """Take a query apart. Raises QueryError where there is nothing to look for."""
    text = text[:MAX_QUERY_CHARS].encode("utf-8", "replace").decode("utf-8").replace("\x00", " ").strip()
    if not text:
        raise QueryError('The query is empty: say what to look for, for example "where are redirects followed".')
    text = composed(text)
    names = tuple(dict.fromkeys(name for name in map(_bare, _NAME.findall(text)) if _looks_like_code(name)))
    whole = _NAME.fullmatch(text) is not None
    if _HYPHENATED.fullmatch(text):
        whole, names = True, (text,)
    coded = whole and bool(names)
    if whole and not names:
        names = (_bare(text),)
    split = [[word.lower() for word in words_of(each)] for each in WORD.findall(text)]
    words = [word for each in split for word in each]
    content_words = [word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())]
    terms = tuple(dict.fromkeys(stem(word) for word in content_words or words))
    simple = {stem(word) for each in split for word in (each if len(each) == 1 else each[1:])}
    # Of a word beyond ASCII the sub-words are no terms of their own: neither do they make the query long, nor shorten it.
    subwords = {stem(word) for each in split if each and not each[0].isascii() for word in each[1:]}
    terms = (
        *[term for term in terms if term not in subwords][:MAX_TERMS],
        *[t for t in terms if t in subwords][:MAX_TERMS],
    )
    is_change = not whole and describes_change(text)
    letters = [letter for letter in text if letter.isalpha()]
    return Query(
        text=text,
        terms=terms,
        parts=tuple(term for term in terms if term in simple),
        names=names,
        is_name=whole,
        is_code_name=coded,
        quoted=tuple(dict.fromkeys(quoted for quoted in _QUOTED.findall(text) if WORD.search(quoted))),
        phrase=text if 1 < len(split) <= MAX_PHRASE_WORDS and not whole else "",
        words=_with_terms(text, frozenset(terms)),
        length=sum(term not in subwords for term in terms),
        foreign=sum(not letter.isascii() for letter in letters) / max(1, len(letters)),
        is_change=is_change,
        asks_for_documents=not is_change and asks_for_documents(text),
    )


def _with_terms(text: str, terms: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The words of a query that have terms, with them."""
    stemmed = {word: [stem(each.lower()) for each in words_of(word)] for word in dict.fromkeys(WORD.findall(text))}
    return tuple(
        (word, tuple(own)) for word, each in stemmed.items() if (own := [term for term in each if term in terms])
    )


@lru_cache(maxsize=65_536)
def stems(name: str) -> tuple[str, ...]:
    """The stems of a name's or path's parts, without repetition: "RequestParsers" -> request, pars."""
    split = [words_of(word) for word in WORD.findall(composed(name))]
    return tuple(dict.fromkeys(stem(part.lower()) for each in split for part in (each if len(each) == 1 else each[1:])))


def _bare(name: str) -> str:
    return name.removesuffix("()")


def _looks_like_code(name: str) -> bool:
    """Inner capitals, underscores, digits among letters, or a qualifier: not a plain or capitalised word."""
    if _JOINED.search(name):
        return len(name) > 2
    return bool(_CASES.search(name))
