"""A model folder of a few kilobytes, written once a session, and the embedded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.encoders.onnx import OnnxEncoder, embedded_folder


@pytest.fixture(scope="session")
def embedded() -> OnnxEncoder:
    return OnnxEncoder(embedded_folder(), name="embedded", threads=2)


@pytest.fixture
def broken_copy(tmp_path: Path) -> Path:
    """The embedded model's folder, to be damaged."""
    for path in embedded_folder().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path
