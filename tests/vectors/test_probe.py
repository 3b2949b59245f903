from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from retrieval.vectors import hnsw_problem, probe


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Each test asks as a process of its own would."""
    hnsw_problem.cache_clear()
    yield
    hnsw_problem.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that passes for an installed hnswlib."""
    origin = tmp_path / "hnswlib.so"
    origin.write_text("compiled")
    monkeypatch.setattr(probe.importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(origin)))
    monkeypatch.setattr(probe, "ORIGIN", f"print({str(origin)!r}, flush=True)\n")
    return origin


def test_a_missing_hnswlib_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe.importlib.util, "find_spec", lambda name: None)
    assert "pip install" in hnsw_problem()


def test_a_build_that_kills_the_process_is_a_sentence(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "TRIAL", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert "built for another CPU" in hnsw_problem()


def test_the_result_is_remembered_for_this_build(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[object] = []
    run = probe.run
    monkeypatch.setattr(probe, "TRIAL", "pass")
    monkeypatch.setattr(probe, "run", lambda *a, **k: (runs.append(a), run(*a, **k))[1])
    cache = tmp_path / "cache"
    for _ in range(2):
        assert hnsw_problem(cache) == ""
        hnsw_problem.cache_clear()
    assert len(runs) == 1
    installed.write_text("compiled again")
    assert hnsw_problem(cache) == ""
    assert len(runs) == 2


def test_a_damaged_memory_is_asked_anew(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "TRIAL", "pass")
    (tmp_path / "hnswlib.json").write_text("{")
    assert hnsw_problem(tmp_path) == ""
    assert json.loads((tmp_path / "hnswlib.json").read_text())["problem"] == ""


def test_a_result_of_another_file_is_neither_believed_nor_remembered(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "TRIAL", "raise SystemExit('wrong')")
    monkeypatch.setattr(probe, "ORIGIN", "print('/elsewhere/hnswlib.py')\n")
    assert "could not be tried" in hnsw_problem(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("trouble", [TimeoutError("no answer"), OSError("no processes left")])
def test_a_trial_that_did_not_end_is_not_remembered(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: OSError
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(probe, "run", fails)
    assert str(trouble) in hnsw_problem(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_importing_the_package_does_not_import_hnswlib() -> None:
    code = "import sys, retrieval.vectors; sys.exit('hnswlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
