"""A disk that fails says so, nothing good is set aside, and what was indexed is found when it is well again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disk_faults import preload

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_disks_that_fail(tmp_path: Path) -> None:
    """The tests of `disk_fault_checks.py`, in a process whose system calls can be made to fail."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "tests/faults/disk_fault_checks.py"]
    environment = {**os.environ, **preload(tmp_path), "PYTHONPATH": str(ROOT)}
    checks = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert checks.returncode == 0, checks.stdout[-6_000:] + checks.stderr[-2_000:]
