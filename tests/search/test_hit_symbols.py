"""A hit names what was found among the definitions of its chunk."""

from __future__ import annotations

from retrieval.chunking import chunk_file
from retrieval.search.hit_symbols import best_symbol, named_symbols, own_lines

SMALL = chunk_file("a.py", "def alpha(v):\n    return v + 1\n\n\ndef bravo(v):\n    return take_away(v, 1)\n")[0]
LONG = chunk_file(
    "b.py",
    "class Client:\n"
    + "".join(f"    def get_{n}(self):\n" + f"        go_on({n}, timeout=3)\n" * 30 for n in range(5)),
)[0]


def test_the_lines_of_a_name_are_those_of_its_definition() -> None:
    assert own_lines(SMALL, "alpha") == (1, 2)
    assert own_lines(SMALL, "bravo") == (5, 6)
    assert own_lines(SMALL, "charlie") is None


def test_a_class_whose_members_follow_is_not_cut_off_at_them() -> None:
    assert [symbol.name for symbol in LONG.symbols] == ["Client", "get_0"]
    assert own_lines(LONG, "Client") is None
    assert own_lines(LONG, "get_0") == (2, 32)


def test_a_name_in_its_own_case_comes_first() -> None:
    (chunk,) = chunk_file("a.py", "class Size:\n    pass\n\ndef size():\n    pass\n")
    assert [symbol.kind for symbol in named_symbols(chunk, "size")] == ["function"]
    assert [symbol.kind for symbol in named_symbols(chunk, "SIZE")] == ["class", "function"]


def test_a_question_finds_the_definition_that_has_its_words() -> None:
    found = best_symbol(SMALL, {"take": 1.0, "awa": 1.0}, ())
    assert found is not None and found.name == "bravo"
    assert best_symbol(SMALL, {"return": 1.0}, ()) is None
    assert best_symbol(SMALL, {"awa": 1.0}, ("class",)) is None
