"""A regular expression of a user, searched in many texts in bounded time.

RE2 matches in time linear in the text, so no pattern explodes; it has no look-around and no references back, which are what
explodes. A large pattern still costs much for each character (100 µs at worst), so that all texts of a query together have a
deadline as well.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

from retrieval.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_PATTERN_CHARS = 1_000
# CPU time for all texts of one query. Ordinary patterns take 0.2 s for 50,000 chunks; the worst known one takes 0.6 s for
# 6 kB, so that a query ends at most two seconds later.
MAX_SECONDS = 3.0
# Texts that are searched at once, joined by line breaks: five times as fast as one by one.
BLOCK_BYTES = 16_000
# What can match a text and not where it stands among others: the very beginning and end, and ^ and $ without lines.
_WHOLE_TEXT = re.compile(r"\\[AzQC]|\(\?\w*-")
MAX_MATCHES = 100  # of one text that are looked at

_PARENTHESIS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(|\)", re.DOTALL)
_NOT_SUPPORTED = {"(?=", "(?!", "(?<", "(?>", "(?("}


class TextPattern:
    """A pattern in RE2's syntax; ^ and $ match at lines, (?i) ignores case."""

    def __init__(self, pattern: str) -> None:
        """Raises QueryError where it is empty, too long or not valid, with the place."""
        self.pattern = pattern
        self._search = _compile(pattern).search

    def keep(self, texts: Iterable[tuple[int, str | bytes]]) -> Iterator[int]:
        """The ids of the texts (in UTF-8 where they are bytes) that match. Raises QueryError where that takes too long."""
        deadline = time.thread_time() + MAX_SECONDS
        for block in _blocks(texts, 0 if _WHOLE_TEXT.search(self.pattern) else BLOCK_BYTES):
            yield from self._keep(block)
            if time.thread_time() > deadline:
                raise QueryError(
                    f"Searching for '{_shown(self.pattern)}' takes too long here: use a simpler pattern, or search less with "
                    "path and language filters."
                )

    def _keep(self, block: Sequence[tuple[int, bytes]]) -> Iterator[int]:
        """Those of a block that match. Where its texts match behind each other nowhere, none of them does; else the first
        that can is the one in which that match begins.
        """
        starts = [0, *accumulate(len(text) + 1 for _, text in block)]
        joined, n = b"\n".join(text for _, text in block), 0
        while n < len(block) and (match := self._search(joined, starts[n])) is not None:
            n = bisect_right(starts, match.start()) - 1
            number, text = block[n]
            if self._search(text) is not None:
                yield number
            n += 1

    def lines(self, text: str) -> list[int]:
        """The numbers, from 0, of the lines in which a match begins."""
        matches = _compile(self.pattern).finditer(text)
        return sorted({text.count("\n", 0, match.start()) for match in islice(matches, MAX_MATCHES)})


def _blocks(texts: Iterable[tuple[int, str | bytes]], size: int) -> Iterator[list[tuple[int, bytes]]]:
    """The texts in blocks of about so many bytes."""
    block: list[tuple[int, bytes]] = []
    left = size
    for number, text in texts:
        block.append((number, text if isinstance(text, bytes) else text.encode("utf-8", "replace")))
        left -= len(block[-1][1])
        if left <= 0:
            yield block
            block, left = [], size
    if block:
        yield block


@lru_cache(maxsize=32)
def _compile(pattern: str) -> Any:
    if not pattern:
        raise QueryError("The pattern is empty: give a regular expression, for example 'raise \\w+Error'.")
    if len(pattern) > MAX_PATTERN_CHARS:
        raise QueryError(f"The pattern has {len(pattern):,} characters; at most {MAX_PATTERN_CHARS:,} are accepted.")
    import re2

    options = re2.Options()
    options.log_errors, options.never_capture = False, True
    try:
        return re2.compile(f"(?m){pattern}".encode("utf-8", "replace").decode(), options)
    except re2.error as error:
        raw = error.args[0]
        message = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        raise QueryError(_complaint(pattern, message)) from None


def _complaint(pattern: str, message: str) -> str:
    """What is wrong, and where: RE2 names the part that it does not accept but not its place."""
    what, _, part = message.partition(": ")
    if "look" in what or any(part.startswith(mark) for mark in _NOT_SUPPORTED):
        what = "look-around and other Perl operators are not supported"
    elif what.startswith("invalid escape") and part[1:].isdigit():
        what = "references back to a group are not supported"
    if ")" in what:
        at, part = _unbalanced(pattern), ""
    else:
        at = max(pattern.rfind(part), 0) if part else len(pattern) - 1
    named = f": {part}" if part and len(part) < len(pattern) else ""
    return f"The pattern '{_shown(pattern)}' is not valid at character {at + 1}: {what}{named}."


def _unbalanced(pattern: str) -> int:
    """Where the parenthesis stands that has no partner."""
    opened: list[int] = []
    for match in _PARENTHESIS.finditer(pattern):
        if match[0] == "(":
            opened.append(match.start())
        elif match[0] == ")":
            if not opened:
                return match.start()
            opened.pop()
    return opened[-1] if opened else 0


def _shown(pattern: str) -> str:
    return pattern if len(pattern) <= 80 else f"{pattern[:80]}…"
