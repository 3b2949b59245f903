"""What the box shows after an answer, a key, a failure."""

from __future__ import annotations

from c2llm_lsp.picker.state import PickerState
from retrieval.errors import QueryError
from retrieval.types import NOTHING_CERTAIN
from tests.picker.hits import answer, hit

A, B, C = (hit(f"{name}.py") for name in "abc")


def showing(*hits: object) -> PickerState:
    state = PickerState()
    state.show("retry", answer(*hits))  # type: ignore[arg-type]
    return state


def test_a_row_that_nobody_chose_stays_on_the_best_one() -> None:
    state = showing(A, B)
    state.show("retry", answer(C, A, B))
    assert state.hit == C


def test_a_row_that_was_chosen_is_kept_in_a_newer_answer_to_the_same_words() -> None:
    state = showing(A, B)
    state.move(1)
    state.show("retry", answer(C, A, B))
    assert state.hit == B
    state.show("retry", answer(C, A))
    assert state.hit == C


def test_other_words_begin_at_the_best_row() -> None:
    state = showing(A, B)
    state.move(1)
    state.show("retry more", answer(A, B))
    assert state.hit == A


def test_the_first_and_the_last_row_are_the_ends() -> None:
    state = showing(A, B, C)
    state.move(-1)
    assert state.hit == A
    state.move(10)
    assert state.hit == C
    PickerState().move(1)


def test_an_error_takes_the_place_of_the_results_until_it_is_mended() -> None:
    state = showing(A)
    state.show("retry kind:x", QueryError("There is no kind 'x'."))
    assert (state.hits, state.problem) == ((), "There is no kind 'x'.")
    state.show("retry", answer(A))
    assert (state.hits, state.problem) == ((A,), "")


def test_an_answer_that_is_not_certain_says_so() -> None:
    state = PickerState()
    state.show("qwxyz", answer(A, notes=(NOTHING_CERTAIN,)))
    assert state.uncertain
    assert not showing(A).uncertain


def test_the_preview_begins_near_the_line_that_answers_and_wastes_no_room() -> None:
    long = hit(first=1, text="".join(f"# {n}\n" for n in range(49)) + "def send(x):\n" + "    pass\n" * 50)
    state = showing(long)
    assert state.preview_start(10) == 47
    state.scroll = 1_000
    assert state.preview_start(10) == 91
    state.scroll = -1_000
    assert state.preview_start(10) == 1
    assert showing(A).preview_start(30) == 10
