"""How long tests go on that repeat something by chance: long enough to fail, or, with C2LLM_SOAK=1, as long as patience allows."""

from __future__ import annotations

import os

FULL = os.environ.get("C2LLM_SOAK", "") not in ("", "0")


def rounds(usual: int, full: int) -> int:
    return full if FULL else usual
