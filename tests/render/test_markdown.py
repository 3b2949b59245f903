"""What a language model reads of an answer: places and code that cannot be taken for something else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from c2llm_lsp.render.freshness import index_summary
from c2llm_lsp.render.markdown import MAX_HIT, answer_markdown
from retrieval.types import Answer, Chunk, Freshness, Hit

CURRENT = Freshness(3, 7)


def answer(text: str, fresh: Freshness = CURRENT, notes: tuple[str, ...] = ()) -> Answer:
    end = 10 + text.count("\n")
    chunk = Chunk("src/rules.py", "python", "method", "apply", "Rules", 10, end, 0, len(text), text)
    return Answer((Hit(chunk, 10, end, text, 0.5),), fresh, "overlap", 0.001, notes)


def test_a_place_is_headed_by_its_lines_and_name() -> None:
    assert "## `src/rules.py:10-11` (method `Rules.apply`)\n\n```python\na\nb\n```\n" in answer_markdown(answer("a\nb"))


def test_what_is_pending_and_what_went_wrong_come_before_the_places() -> None:
    told = answer_markdown(answer("x", Freshness(3, 7, 2, 5, True), ("Words alone were searched.",)), ("Disk full.",))
    head = told[: told.index("## ")]
    for said in ("2 files not indexed yet.", "5 chunks without vectors yet", "Words alone", "Disk full."):
        assert said in head


def test_nothing_found_says_how_current_the_index_is() -> None:
    told = answer_markdown(Answer((), Freshness(0, 0, 4), "", 0.0))
    assert told.startswith("Nothing found.")
    assert "4 files not indexed yet." in told


def test_an_index_with_nothing_pending_is_current() -> None:
    assert index_summary(Freshness(1200, 9000)) == "Index: 1,200 files, 9,000 chunks. All of it is current."


def test_a_long_place_is_cut_at_a_line_and_says_how_much_is_missing() -> None:
    told = answer_markdown(answer("\n".join(f"total += price_{n:04}" for n in range(200))))
    shown = re.findall(r"^total \+= price_\d{4}$", told, re.MULTILINE)
    assert f"… ({200 - len(shown)} more lines)" in told
    assert len("\n".join(shown)) <= MAX_HIT


@given(st.text(alphabet="`x\n", max_size=60))
def test_code_cannot_end_its_fence(code: str) -> None:
    told = answer_markdown(answer(code))
    fence = re.search(r"^(`{3,})python$", told, re.MULTILINE)
    assert fence
    assert len(fence[1]) > max((len(run) for run in re.findall(r"`+", code)), default=0)
