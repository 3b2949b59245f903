from __future__ import annotations

from retrieval.search.salience import salient_lines

TEXT = "def send(self):\n    # prepare\n    if redirect:\n        follow(redirect)\n    }\n"


def test_lines_with_the_querys_words_come_first() -> None:
    assert salient_lines(TEXT, 10, {"redirect": 2.0, "follow": 1.0}, 2) == (12, 13)


def test_braces_are_never_shown() -> None:
    assert 14 not in salient_lines(TEXT, 10, {}, 10)


def test_attention_decides_where_no_word_matches() -> None:
    comment = TEXT.index("# prepare")
    assert salient_lines(TEXT, 1, {"absent": 1.0}, 1, [(0, 3, 0.1), (comment, comment + 5, 0.9)]) == (2,)


def test_an_empty_text_has_none() -> None:
    assert salient_lines("", 1, {"a": 1.0}, 3) == ()
