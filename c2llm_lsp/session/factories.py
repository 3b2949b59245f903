"""Open a workspace and load an encoder as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.processes.environment import exclude_workspace

if TYPE_CHECKING:
    from c2llm_lsp.settings import Settings
    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace


def open_workspace(root: Path, settings: Settings, encoder: Callable[[], Encoder] | None = None) -> Workspace:
    """The workspace of a folder; its encoder is loaded when it is needed, by `encoder` where that is given."""
    exclude_workspace(root)  # before the engine is imported
    from retrieval.engine import FileLimits, Workspace

    workspace = Workspace.open(
        root,
        load_encoder=encoder or (lambda: load_encoder(settings)),
        cache_dir=settings.cache,
        limits=FileLimits(settings.exclude, settings.max_file_bytes),
        threads=settings.threads or None,
    )
    if settings.shared_vectors:
        from retrieval.team import TeamVectors

        workspace.writer.vector_source = TeamVectors(settings.shared_vectors)
    return workspace


def load_encoder(settings: Settings, *, patience: float | None = None) -> Encoder:
    """The encoder that the settings name; one on another machine is waited for at most `patience` seconds."""
    from retrieval.encoders import load
    from retrieval.store.cache_paths import cache_folder

    return load(
        settings.encoder,
        threads=settings.threads or None,
        device=settings.device,
        dtype=settings.dtype,
        patience=patience,
        cache=cache_folder(settings.cache),
    )
