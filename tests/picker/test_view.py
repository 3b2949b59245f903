"""What the box draws, as text."""

from __future__ import annotations

import pytest
from prompt_toolkit.formatted_text import StyleAndTextTuples, fragment_list_to_text
from prompt_toolkit.utils import get_cwidth

from c2llm_lsp.picker import view
from c2llm_lsp.picker.state import PickerState
from c2llm_lsp.picker.view import preview_rows, result_rows, status_row
from retrieval.types import NOTHING_CERTAIN
from tests.picker.hits import answer, hit


def lines(rows: StyleAndTextTuples) -> list[str]:
    return [line.rstrip() for line in fragment_list_to_text(rows).split("\n")]


def showing(*hits: object, **more: object) -> PickerState:
    state = PickerState()
    state.show("retry", answer(*hits, **more))  # type: ignore[arg-type]
    return state


def test_a_row_is_path_and_line_name_and_the_line_that_answers() -> None:
    rows = lines(result_rows(showing(hit(), hit("lib/b.py", 3)), 80, 10, str))
    assert rows == [
        "> src/app.py:10  send  return post(x, retry=True)",
        "  lib/b.py:3     send  return post(x, retry=True)",
    ]


def test_rows_fit_their_width_whatever_is_in_them() -> None:
    state = showing(
        hit("very/" * 30 + "long.py"),
        hit("漢字/" * 20 + "漢.py", text="def send(x):\n    漢字 = '" + "漢" * 200 + "'\n"),
    )
    for width in (10, 40, 80, 200):
        rows = fragment_list_to_text(result_rows(state, width, 10, str)).split("\n")
        assert max(map(get_cwidth, rows)) <= width
        preview = lines(preview_rows(state, width, 10, str))
        assert get_cwidth(preview[0]) <= width


def test_a_very_long_line_is_cut_without_looking_at_all_of_it_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def width(text: str) -> int:
        looked.append(len(text))
        return get_cwidth(text)

    monkeypatch.setattr(view, "get_cwidth", width)
    state = showing(hit("very/" * 9_000 + "long.py", text="def send(x):\n    retry = '" + "retry " * 90_000 + "'\n"))
    fragment_list_to_text(result_rows(state, 80, 5, str) + preview_rows(state, 80, 10, str))
    assert sum(looked) < 20 * 585_000


def test_the_selected_row_is_always_among_those_shown() -> None:
    state = showing(*(hit(f"f{n}.py") for n in range(10)))
    state.move(7)
    shown = lines(result_rows(state, 80, 4, str))
    assert len(shown) == 4
    assert any(row.startswith("> f7.py") for row in shown)


def test_a_file_name_and_code_cannot_command_the_terminal() -> None:
    state = showing(hit("a\x1b[2J\n.py", text="def send(x):\n    retry = '\x1b]52;c;AAAA\x07\u202e'\n"))
    drawn = result_rows(state, 80, 5, str) + preview_rows(state, 80, 10, str) + status_row(state, 80)
    assert not {character for character in fragment_list_to_text(drawn) if not character.isprintable()} - {"\n"}


def test_the_preview_shows_the_lines_with_their_numbers_and_marks_what_matches() -> None:
    rows = preview_rows(showing(hit()), 80, 10, str)
    assert lines(rows) == ["src/app.py:10-11 · python function", "10 def send(x):", "11     return post(x, retry=True)"]
    assert "retry" in [text for style, text, *_ in rows if "match" in style]


def test_the_status_says_what_is_missing_and_what_is_not_certain() -> None:
    assert lines(status_row(showing(hit()), 40)) == ["1 result" + " " * 25 + "F1 keys"]
    assert "2 files not indexed yet" in lines(status_row(showing(hit(), pending=2), 120))[0]
    assert NOTHING_CERTAIN in lines(status_row(showing(hit(), notes=(NOTHING_CERTAIN,)), 120))[0]
    assert lines(status_row(showing(), 30))[0].startswith("Nothing found")


def test_results_of_an_uncertain_answer_are_dimmed() -> None:
    state = showing(hit(), hit("b.py"), notes=(NOTHING_CERTAIN,))
    assert "class:path" not in "".join(style for style, *_ in result_rows(state, 80, 5, str))


def test_help_takes_the_place_of_the_preview() -> None:
    state = showing(hit())
    state.help = True
    assert any("$EDITOR" in line for line in lines(preview_rows(state, 80, 20, str)))
