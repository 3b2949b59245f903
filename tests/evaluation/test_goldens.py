"""Fixed questions are answered as goldens.txt says. Where a change is meant: python -m tests.evaluation.goldens"""

from __future__ import annotations

import re

import pytest

from tests.evaluation.goldens import GOLDENS, METRICS, answer, means, section, sections

RECORDED = sections(GOLDENS.read_text(encoding="utf-8"))
# The embedded model's numbers differ in their last digits between processors, which can exchange two neighbours.
TOLERANCE = 0.03


def test_answers_by_words_and_overlap_are_the_recorded_ones() -> None:
    assert section("overlap", answer("overlap")) == RECORDED["overlap"]


def test_the_embedded_model_is_as_good_as_recorded() -> None:
    recorded = {
        name: float(value) for name, value in re.findall(r"(\S+) (\d\.\d{3})", RECORDED["embedded"].split("\n")[0])
    }
    now = means(answer("embedded"))
    assert list(recorded) == list(METRICS)
    assert now == pytest.approx(recorded, abs=TOLERANCE)
