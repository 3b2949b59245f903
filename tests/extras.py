"""What tests need of the optional dependencies."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def need(*modules: str) -> None:
    """Skip the tests of a file where one is missing. `pytest.importorskip` would import them, seconds in each process, also for the
    files whose tests are left out.
    """
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed", allow_module_level=True)
