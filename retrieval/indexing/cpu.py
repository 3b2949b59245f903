"""How many processors there are to work with."""

from __future__ import annotations

import os


def processors() -> int:
    """How many of this machine's this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
