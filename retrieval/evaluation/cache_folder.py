"""Where evaluations keep indexes, vectors and copies between runs."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

from retrieval.private_files import EVALUATION_FOLDER, private_cache, private_folder


def evaluation_cache(name: str) -> Path:
    """A private folder of the user's cache for one kind of evaluation. Raises StoreError, OSError."""
    cache = private_cache(user_cache_path("c2llm-lsp"))
    return private_folder(cache / EVALUATION_FOLDER / name, top=cache)
