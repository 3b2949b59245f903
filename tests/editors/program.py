"""A `c2llm` for editors to find."""

from __future__ import annotations

import sys
from pathlib import Path


def on_path(folder: Path) -> Path:
    """A folder with a `c2llm` that runs this checkout."""
    folder.mkdir(exist_ok=True)
    program = folder / "c2llm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m c2llm_lsp "$@"\n')
    program.chmod(0o755)
    return folder
