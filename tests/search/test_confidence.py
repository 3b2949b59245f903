"""Answers to queries about something else say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.search.candidates import Candidates
from retrieval.search.confidence import is_certain
from retrieval.types import NOTHING_CERTAIN, Filters, SearchRequest


def candidates(words: float, similarity: float | None, named: dict[int, str] | None = None) -> Candidates:
    one = np.ones(1, np.float32)
    return Candidates(np.array([7]), one, one, one * words, named or {}, similarity)


@pytest.mark.parametrize(
    ("words", "similarity", "certain"),
    [(0.0, 0.3, False), (0.0, 0.7, True), (0.3, 0.3, False), (0.5, 0.3, True), (0.1, None, False), (0.4, None, True)],
)
def test_words_and_meaning_speak_for_an_answer_together(words: float, similarity: float | None, certain: bool) -> None:
    assert is_certain(candidates(words, similarity)) is certain


def test_a_definition_of_the_name_is_certain_and_no_candidate_is_not_doubted() -> None:
    assert is_certain(candidates(0.0, 0.1, {7: "send"}))
    none = np.empty(0, np.float32)
    assert is_certain(Candidates(np.empty(0, np.int64), none, none, none, {}))


def test_the_note_goes_with_the_answer_but_not_with_what_a_pattern_matches(tmp_path: Path) -> None:
    (tmp_path / "options.py").write_text("def parse_option(text):\n    return text.split('=')\n")

    def notes(query: str, grep: str = "") -> tuple[str, ...]:
        return workspace.search(SearchRequest(query, Filters(grep=grep))).notes

    with Workspace.open(tmp_path, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        assert notes("xyzzy plugh frobnicate") == (NOTHING_CERTAIN,)
        assert notes("parse the option") == ()
        assert notes("xyzzy plugh", grep="def") == ()
