"""No test reads or writes what belongs to the person who runs it: cache, settings and colours are set for each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from tests import patience

# Tests run in several processes: torch's threads, which spin while they wait for each other, would hold all of them up.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine makes single examples slow; what is wrong is told by results, not by the clock.
hypothesis_settings.register_profile("project", deadline=None)
hypothesis_settings.load_profile("project")

PERSONAL = ("C2LLM_ENCODER", "C2LLM_THREADS", "C2LLM_DEVICE", "C2LLM_DTYPE", "C2LLM_EXCLUDE", "C2LLM_SHARED_VECTORS")


@pytest.fixture(autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, and no setting of the person's; gives the cache folder, which is made on first use."""
    cache = tmp_path_factory.getbasetemp() / "caches" / "unset"
    monkeypatch.setenv("C2LLM_CACHE_DIR", str(cache))
    monkeypatch.setenv("C2LLM_CONFIG", str(cache / "no-config.toml"))
    monkeypatch.setenv("C2LLM_DATA_DIR", str(tmp_path_factory.getbasetemp() / "data"))
    for name in (*PERSONAL, "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    patience.apply_to_product()
    return cache
