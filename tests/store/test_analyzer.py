from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.store import split_identifiers, stem
from retrieval.store.analyzer import MAX_WORD, holds_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parseHTTPUrl", "parsehttpurl pars http url"),
        ("snake_case_name", "snake_case_nam snak cas nam"),
        ("sha256sum", "sha256sum sha 256 sum"),
        ("__init__", "init"),
        ("plain words, here!", "plain word her"),
        ("x = y", "x y"),
        ("utf_8", "utf_8 utf"),
        ("grüßeSenden", "grüßesenden grüß gruß ruß senden"),
        ("日本語 text", "日本語 日本 本語 text"),
        ("_ __ ___", ""),
        ("", ""),
    ],
)
def test_identifiers_are_kept_whole_and_followed_by_their_parts(text: str, expected: str) -> None:
    assert split_identifiers(text) == expected


def test_encoded_data_is_left_out() -> None:
    assert split_identifiers("a" * (MAX_WORD + 1) + " kept") == "kept"


@given(st.text())
def test_words_are_lower_case_and_hold_no_punctuation(text: str) -> None:
    words = split_identifiers(text)
    assert words == words.lower()
    assert all(word.replace("_", "").isalnum() or not word.isascii() for word in words.split())


@given(st.text(), st.text())
def test_a_text_has_the_words_of_its_parts(left: str, right: str) -> None:
    together = split_identifiers(f"{left} {right}")
    assert together.split() == split_identifiers(left).split() + split_identifiers(right).split()


@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=2, max_size=4))
def test_camel_and_snake_case_have_the_same_parts(parts: list[str]) -> None:
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    assert split_identifiers(camel).split()[1:] == [stem(part) for part in parts]
    assert split_identifiers("_".join(parts)).split()[1:] == [stem(part) for part in parts]


@given(st.text(alphabet="abcABC_19 ß字й.\n", max_size=80), st.text(alphabet="abcABC_19 ß字й", max_size=20))
def test_words_are_held_where_splitting_the_text_says_so(text: str, query: str) -> None:
    terms = split_identifiers(query).split()
    words = set(split_identifiers(text).split())
    assert holds_words(text, terms) == [term in words for term in terms]
