"""Writes goldens.txt anew: python -m tests.evaluation.goldens"""

from __future__ import annotations

from tests.evaluation.goldens import ENCODERS, GOLDENS, HEADER, answer, section

GOLDENS.write_text("\n".join([HEADER, *(section(name, answer(name)) for name in ENCODERS)]), encoding="utf-8")
