from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.encoders import OverlapEncoder, Vectors
from retrieval.search import highlighting
from retrieval.search.highlighting import COMPARED_LINES, LineVectors, highlight_by_meaning, salient_lines
from retrieval.types import Chunk, Hit

TEXT = "def send(self):\n    # prepare\n    if redirect:\n        follow(redirect)\n    }\n"


def test_lines_with_the_querys_words_come_first() -> None:
    assert salient_lines(TEXT, 10, {"redirect": 2.0, "follow": 1.0}, 2) == (12, 13)


def test_braces_are_never_shown() -> None:
    assert 14 not in salient_lines(TEXT, 10, {}, 10)


def test_without_words_the_first_telling_lines_are_shown() -> None:
    assert salient_lines("{\n" + TEXT, 9, {"absent": 1.0}, 2) == (10, 11)


def test_a_word_counts_in_all_its_forms_and_not_inside_others() -> None:
    assert salient_lines("shipping\nworship()\nships.close()\nend", 1, {"ship": 1.0}, 2) == (1, 3)


def test_a_line_to_start_with_comes_before_the_best_after_it() -> None:
    assert salient_lines(TEXT, 10, {"redirect": 2.0, "prepar": 3.0}, 2, 11) == (11, 12)


def test_an_empty_text_has_none() -> None:
    assert salient_lines("", 1, {"a": 1.0}, 3) == ()


QUERY = OverlapEncoder().encode_queries(["follow"])[0]  # lines with `follow` mean the same


class Seeing(OverlapEncoder):
    """Remembers the lines that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.lines += texts
        return super().encode_passages(texts)


def hit(text: str, line: int = 10) -> Hit:
    end = line + text.count("\n")
    return Hit(Chunk("a.py", "python", "block", "", "", line, end, 0, 0, text), line, end, text, 1.0)


def chosen(
    *hits: Hit, idf: dict[str, float], count: int = 1, known: LineVectors | None = None
) -> list[tuple[int, ...]]:
    found = highlight_by_meaning(hits, QUERY, Seeing(), known or LineVectors(), idf, count)
    return [one.salient_lines for one in found]


def test_meaning_decides_where_no_word_does() -> None:
    assert chosen(hit(TEXT), hit("}"), hit("a line\nfollow", 50), idf={}) == [(13,), (), (51,)]


def test_words_and_meaning_count_together() -> None:
    text = "redirect\nfollow the thing to its very end\nfollow redirect"
    assert chosen(hit(text), idf={"redirect": 1.0}) == [(12,)]


def test_of_a_long_hit_only_some_lines_are_compared_those_with_words_first() -> None:
    encoder = Seeing()
    text = "\n".join(f"line number {n}" for n in range(100)) + "\nredirect at the end"
    highlight_by_meaning([hit(text)], QUERY, encoder, LineVectors(), {"redirect": 1.0}, 3)
    assert len(encoder.lines) == COMPARED_LINES and encoder.lines[0] == "redirect at the end"


def test_a_line_is_embedded_once() -> None:
    encoder, known = Seeing(), LineVectors()
    for _ in range(2):
        highlight_by_meaning([hit("same line\nsame line\n    same line")], QUERY, encoder, known, {}, 3)
    assert encoder.lines == ["same line"]


def test_old_lines_are_forgotten_and_come_back_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlighting, "CACHED_LINES", 2)
    encoder, known = Seeing(), LineVectors()
    lines = ["one line", "two lines", "three lines"]
    assert np.array_equal(known.of(lines, encoder), OverlapEncoder().encode_passages(lines))
    assert np.array_equal(known.of(lines[::-1], encoder), OverlapEncoder().encode_passages(lines[::-1]))
    assert encoder.lines == [*lines, "one line"]


def test_vectors_of_another_encoder_are_not_used() -> None:
    known = LineVectors()
    known.of(["one line"], OverlapEncoder(256))
    assert known.of(["one line"], OverlapEncoder(384)).shape == (1, 384)
