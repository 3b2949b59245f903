"""Where a query stands word for word: names as they are written, "quoted" text, and the few words of a short query.

Stems and vectors say what is about the same; whoever types a name, a key, an error code or a quotation means these very
characters. They are looked for in the texts of the chunks that may hold them: those that the full-text table has the words
of side by side, and the best by words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retrieval.search.query import Query
from retrieval.search.snapshot import Rows
from retrieval.store import ChunkText, split_identifiers

# Names of a query that are looked for; a stack trace has dozens.
MOST_NAMES = 4
# A name whose rarest word occurs in more chunks than this is looked for in the best of them only.
MANY = 1_000
# Chunks that hold a quotation; an answer needs no more.
MOST_QUOTING = 1_000
# What it is worth that a chunk holds a name that is but part of a query or a plain word, or two words in a row: in code these
# are everywhere. Three words in a row are no chance.
IN_PASSING = 0.5
PHRASE_WORDS = 3
# ... and only of a few chunks is it worth anything: the project's own name is in all.
RARE = 5
# The value of a match in another case, and of a chunk that defines the name elsewhere than its qualifier says.
OTHER_CASE, OTHER_PLACE = 0.8, 0.5

_SPACE = re.compile(r"\s+")
_NAME_START, _NAME_END = re.compile(r"[\w$]"), re.compile(r"[\w$]$")
_QUALIFIER = re.compile(r"\.|::|->|#")


class Literal:
    """A name or a quotation as it is looked for: its characters with any white space between its words, and no part of a
    longer word or name.
    """

    def __init__(self, text: str) -> None:
        self._text, self._ascii = text, text.isascii()
        self._own, self._low = _Pattern(text), _Pattern(text.lower())
        self._longest = max(text.lower().split(), key=len)

    def written_in(self, text: str) -> bool:
        """Whether it stands in a text in its own case."""
        return self._own.found_in(text)

    def found_in(self, text: str, low: str) -> bool:
        """Whether it stands in a text in any case; `low` is the text in lower case."""
        if self._longest not in low:
            return False
        if self._ascii and text.isascii():
            return self._low.found_in(low)
        return self._any_case.search(text) is not None

    @cached_property
    def _any_case(self) -> re.Pattern[str]:
        return re.compile(_expression(self._text), re.IGNORECASE)


class _Pattern:
    """An expression that begins with a word. Where that stands is told ten times as fast by `str.find`."""

    def __init__(self, text: str) -> None:
        self._match = re.compile(_expression(text)).match
        self._first = _SPACE.split(text.strip())[0]

    def found_in(self, text: str) -> bool:
        at = text.find(self._first)
        while at >= 0:
            if self._match(text, at) is not None:
                return True
            at = text.find(self._first, at + 1)
        return False


def _expression(text: str) -> str:
    words = [re.escape(word) for word in _SPACE.split(text.strip())]
    before = r"(?<![\w$])" if _NAME_START.match(text) else ""
    after = r"(?![\w$])" if _NAME_END.search(text) else ""
    return before + r"\s+".join(words) + after


def quoting(rows: Rows, query: Query, allowed: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """The chunks that hold all that a query quotes, ascending; None where it quotes nothing."""
    if not query.quoted:
        return None
    quotations = [Literal(text) for text in query.quoted]
    words = max((split_identifiers(text).split() for text in query.quoted), key=len)
    ids = rows.phrase(words, MOST_QUOTING)
    if allowed is not None:
        ids = ids[np.isin(ids, allowed)]
    texts = {row: searched(chunk) for row, chunk in rows.texts(ids.tolist()).items()}
    held = [row for row, text in texts.items() if all(each.found_in(text, text.lower()) for each in quotations)]
    return np.array(sorted(held), dtype=np.int64)


def exact_matches(
    rows: Rows,
    query: Query,
    frequencies: Mapping[str, int],
    best: Mapping[int, ChunkText],
    named: Mapping[int, str],
    allowed: NDArray[np.int64] | None,
) -> dict[int, float]:
    """How far chunks hold a name of the query, or all of a short one, as it is written: 0..1; those that do not are absent.
    `best` are the chunks best by words, `named` those that define a name.
    """
    names = query.names[:MOST_NAMES]
    chunks = dict(best)
    chunks |= rows.texts([row for row in _holding_names(rows, names, frequencies, allowed) if row not in best])
    share = 1.0 if query.is_code_name else IN_PASSING
    values: dict[int, float] = {}
    if query.is_code_name:
        values = {row: _defined(name, chunks.get(row), names) for row, name in named.items()}
    wanted = dict.fromkeys(names, share)
    if query.phrase:
        wanted[query.phrase] = 1.0 if len(query.phrase.split()) >= PHRASE_WORDS else IN_PASSING
    texts = {row: searched(chunk) for row, chunk in chunks.items()}
    folded = {row: text.lower() for row, text in texts.items()}
    for text, worth in wanted.items():
        sought = Literal(text)
        found = [row for row, low in folded.items() if sought.found_in(texts[row], low)]
        held = {row: worth * (1.0 if sought.written_in(texts[row]) else OTHER_CASE) for row in found}
        if worth == 1.0 or len(held) <= RARE:
            values |= {row: max(value, values.get(row, 0.0)) for row, value in held.items()}
    return {row: value for row, value in values.items() if value}


def _holding_names(
    rows: Rows, names: Sequence[str], frequencies: Mapping[str, int], allowed: NDArray[np.int64] | None
) -> list[int]:
    """The chunks that hold the words of one of these names side by side, where that are not too many."""
    ids: list[int] = []
    for name in names:
        words = split_identifiers(name).split()
        if min((frequencies[word] for word in words if word in frequencies), default=MANY + 1) <= MANY:
            found = rows.phrase(words, MANY)
            ids += (found if allowed is None else found[np.isin(found, allowed)]).tolist()
    return ids


def searched(chunk: ChunkText) -> str:
    """What is looked through of a chunk: what stands before its code in the file is told by its path and names."""
    return f"{chunk.path}\n{chunk.scope}\n{chunk.text}"


def _defined(defined: str, chunk: ChunkText | None, names: Sequence[str]) -> float:
    """A definition is as good as the name itself, if it stands where the name says: `Session.send` in a Session."""
    best = 0.0
    for name in names:
        *qualifiers, last = _QUALIFIER.split(name)
        if last.lower() == defined.lower():
            text = searched(chunk).lower() if chunk is not None else ""
            here = not qualifiers or qualifiers[-1].lower() in text
            best = max(best, (1.0 if last == defined else OTHER_CASE) if here else OTHER_PLACE)
    return best
