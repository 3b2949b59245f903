"""`c2llm index` where the index cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from c2llm_lsp.cli.index import app
from retrieval.errors import StorageFullError
from retrieval.store import Store


def test_index_on_a_read_only_cache_says_so_and_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("a = 1\n")
    for name, value in {"CACHE_DIR": tmp_path / "cache", "CONFIG": tmp_path / "none", "ENCODER": "overlap"}.items():
        monkeypatch.setenv(f"C2LLM_{name}", str(value))
    assert CliRunner().invoke(app, [str(root)]).exit_code == 0
    real = Store.open

    def read_only_disk(*paths: Any, read_only: bool = False, **options: Any) -> Store:
        if not read_only:
            raise StorageFullError("The cache folder cannot be written.")
        return real(*paths, read_only=True, **options)

    monkeypatch.setattr(Store, "open", read_only_disk)
    result = CliRunner().invoke(app, [str(root)])
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert "nothing changed" not in result.output
