"""Comments in other languages than English are found by parts of what they say."""

from __future__ import annotations

import pytest

from retrieval.search import RANKINGS, matches, parse
from retrieval.store import split_identifiers


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("折扣", "计算订单的折扣金额"),
        ("会員の割引", "会員は追加で割引される"),
        ("サムネイル", "画像を圧縮してサムネイルを作る"),
        ("로그인", "사용자의 로그인토큰이"),
        ("скидка", "Вычисляет скидку заказа"),
        ("geprüft", "Prüft das Token"),
        ("Größe", "größe"),
        ("計算" * 40, "計算"),  # longer than any name
    ],
)
def test_inflected_words_and_parts_of_sentences_meet(query: str, text: str) -> None:
    assert set(parse(query).terms) & set(split_identifiers(text).split())


def test_names_of_any_script_are_split_at_their_capitals() -> None:
    assert {"проверитьтокен", "проверить", "токен"} <= set(split_identifiers("ПроверитьТокен").split())


def test_accents_may_be_composed_or_not() -> None:
    assert split_identifiers("gro\u0308ße") == split_identifiers("größe")
    assert parse("gro\u0308ße").terms == parse("größe").terms


def test_names_beyond_ascii_are_names() -> None:
    assert parse("寻路服务").is_name
    assert parse("ПроверитьТокен").is_name
    assert parse("naïve_bayes").names == ("naïve_bayes",)


def test_subwords_do_not_make_a_query_a_description() -> None:
    assert parse("пользователя").length == 1
    assert parse("pars the header").length == len(parse("pars the header").terms)


def test_meaning_counts_less_in_languages_that_the_model_does_not_know() -> None:
    ranking = RANKINGS["full"]
    english, russian = ranking.weights(parse("discount of an order")), ranking.weights(parse("скидка заказа"))
    assert 0 < russian.dense < english.dense
    assert RANKINGS["dense"].weights(parse("скидка")).dense == 1


def test_subwords_are_marked_in_the_line() -> None:
    line = "计算订单的折扣金额"
    assert matches(line, parse("折扣").terms) == [(5, 7)]
    assert matches("Prüft das", parse("geprüft").terms) == [(0, 5)]
