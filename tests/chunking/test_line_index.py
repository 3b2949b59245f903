"""Lines of a text, with and without what ends them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import lines_of, lines_with_breaks

TEXTS = st.lists(st.sampled_from(["a", "b c", "\r\n", "\r", "\n", "é", "\x0c", "\u2028"]), max_size=12).map("".join)


@given(TEXTS)
def test_lines_with_their_breaks_are_the_text(text: str) -> None:
    lines = lines_with_breaks(text)
    assert [line for line, _ in lines] == lines_of(text)
    assert "".join(line + end for line, end in lines).removesuffix(lines[-1][1]) == text
    assert {end for _, end in lines} <= {"\r\n", "\r", "\n"}
