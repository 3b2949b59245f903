"""What a query asks for: its words, the code names in it, and whether it is nothing but a name.

A query is plain language ("how are redirects followed"), a name (`HandlerStack`, `Session.send`), or both. Words feed
BM25 and the name and path signals, names feed the symbol look-up. Nothing here looks at the index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.errors import QueryError
from retrieval.store import PART, WORD, stem

# Longer queries are pasted code or logs: beyond this much text neither BM25 nor the encoder gains anything.
MAX_QUERY_CHARS = 4_000
# An OR of more terms than this costs BM25 more than it adds; the rarest are kept.
MAX_TERMS = 32

# Words of questions, not of code.
STOP_WORDS = frozenset(
    """a an and are as at be by can do does for from get gets has have how i if in into is it its me my of on or so
    that the their them then there these they this to use used uses using via was we what when where which who why
    will with without you your code find show implemented implementation implement defined work works working""".split()
)

# A dotted, ::-ed or ->-ed name, with or without a call's parentheses: Session.send, std::vector, app->run()
_JOINED = re.compile(r"\.|::|->|#|_|\$")
_CASES = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d")
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->|#)[A-Za-z_$][\w$]*)*(?:\(\))?")


@dataclass(frozen=True, slots=True)
class Query:
    """A query taken apart. `terms` are stems as the full-text index holds them, without stop words."""

    text: str
    terms: tuple[str, ...]
    parts: tuple[str, ...]  # the terms that are no compounds of others: getUser is left to get and user
    names: tuple[str, ...]  # what looks like a name in code, as written
    is_name: bool  # the whole query is one name


def parse(text: str) -> Query:
    """Take a query apart. Raises QueryError where there is nothing to look for."""
    text = text[:MAX_QUERY_CHARS].encode("utf-8", "replace").decode("utf-8").replace("\x00", " ").strip()
    if not text:
        raise QueryError('The query is empty: say what to look for, for example "where are redirects followed".')
    names = tuple(dict.fromkeys(name for name in map(_bare, _NAME.findall(text)) if _looks_like_code(name)))
    whole = _NAME.fullmatch(text) is not None
    if whole and not names:
        names = (_bare(text),)
    parts = [part.lower() for part in PART.findall(text)]
    words = [word.lower() for word in parts_of(text)]
    content_words = [word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())]
    terms = tuple(dict.fromkeys(stem(word) for word in content_words or words))[:MAX_TERMS]
    simple = {stem(part) for part in parts}
    return Query(text, terms, tuple(term for term in terms if term in simple), names, is_name=whole)


def parts_of(text: str) -> list[str]:
    """The words of a text, each compound one followed by its parts: "getUser by_id" -> getUser get User by_id by id."""
    out: list[str] = []
    for word in WORD.findall(text):
        parts = PART.findall(word)
        out += [word.strip("_"), *parts] if len(parts) > 1 else parts
    return out


@lru_cache(maxsize=65_536)
def stems(name: str) -> tuple[str, ...]:
    """The stems of a name's or path's parts, without repetition: "RequestParsers" -> request, pars."""
    return tuple(dict.fromkeys(stem(part.lower()) for part in PART.findall(name)))


def _bare(name: str) -> str:
    return name.removesuffix("()")


def _looks_like_code(name: str) -> bool:
    """Inner capitals, underscores, digits among letters, or a qualifier: not a plain or capitalised word."""
    if _JOINED.search(name):
        return len(name) > 2
    return bool(_CASES.search(name))
