"""Patterns of users: what matches, what is refused and where, and that none takes long."""

from __future__ import annotations

import pytest

from retrieval import text_pattern
from retrieval.errors import QueryError
from retrieval.text_pattern import BLOCK_BYTES, MAX_PATTERN_CHARS, TextPattern


def kept(pattern: str, *texts: str | bytes) -> list[int]:
    return list(TextPattern(pattern).keep(enumerate(texts)))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"raise \w+Error", [0]),
        (r"^def", [1]),
        (r"\($", []),
        (r"(?i)DEF", [0, 1]),
        (r"größe|🎉", [2]),
        (r"a.b", []),
        (r"(?s)undef.*Error", [0]),
    ],
)
def test_a_pattern_matches_within_lines_unless_it_says_otherwise(pattern: str, expected: list[int]) -> None:
    texts = ("undef\n  raise ValueError", "x\ndef f():\n  a\n  b", "größe = '🎉'")
    assert kept(pattern, *texts) == kept(pattern, *(text.encode() for text in texts)) == expected


def test_lines_are_those_in_which_a_match_begins() -> None:
    assert TextPattern("TODO|🎉").lines("a TODO TODO\nb\n🎉\nTO\nDO") == [0, 2]


@pytest.mark.parametrize(
    ("pattern", "character", "reason"),
    [
        ("a(b", 2, r"missing \)"),
        (r"(\()[)]x)y", 9, r"unexpected \)"),
        ("x[a-", 2, r"missing \]"),
        ("[z-a]", 2, "range: z-a"),
        ("ab**", 3, r"repetition operator: \*\*"),
        ("*a", 1, "no argument"),
        ("x{1001}", 2, "repetition size"),
        ("foo(?=bar)", 4, "look-around"),
        (r"(a)\1", 4, "references back"),
        ("ab\\", 3, "trailing"),
    ],
)
def test_a_pattern_that_is_not_valid_is_refused_with_the_place(pattern: str, character: int, reason: str) -> None:
    with pytest.raises(QueryError, match=rf"is not valid at character {character}: .*{reason}"):
        TextPattern(pattern)


@pytest.mark.parametrize("pattern", ["", "x" * (MAX_PATTERN_CHARS + 1), "(a{0,1000}){0,1000}", "\ud800("])
def test_other_patterns_are_refused_too(pattern: str) -> None:
    with pytest.raises(QueryError):
        TextPattern(pattern)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)*b", r"(.*a){50}$", r"(a?){100}a{201}b"])
def test_what_explodes_elsewhere_is_matched_to_the_end(pattern: str) -> None:
    assert kept(pattern, "a" * 5_000 + "!", "aab" * 40 + "a" * 200) in ([], [1])


def test_a_pattern_that_costs_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr(text_pattern.time, "thread_time", lambda: next(clock))
    with pytest.raises(QueryError, match="takes too long here: use a simpler pattern"):
        kept("slow", *["text" * BLOCK_BYTES] * 10)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^b",
        r"a$",
        r"\Ab",
        r"b\z",
        r"(?-m)^b",
        r"a\nb",
        r"[^x]b",
        r"\bb\b",
        r"\Bb",
        r"^$",
        "x*",
        r"\n",
        r"(?s)a.*c",
        r"(?-m)a$",
    ],
)
def test_texts_match_beside_each_other_as_they_do_alone(pattern: str) -> None:
    texts = ["a", "b", "", "\n", "ab", "c\n", "a\nb", "bb c", "\u00fcb", "x"]
    alone = [number for number, text in enumerate(texts) if kept(pattern, text)]
    assert kept(pattern, *texts) == alone
