"""ONNX files: one file, or a graph with its weights as external data.

A protocol buffer holds at most 2 GB, so a large graph keeps its weights in a second file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

MODEL_NAME, DATA_NAME = "model.onnx", "model.onnx.data"
PASSAGES_NAME = "passages.onnx"  # of an asymmetric model: reads passages, while model.onnx reads queries
MAX_SINGLE_FILE_BYTES = 1_500_000_000  # of weights in the graph's own file; the limit is 2 GB for all of it


def read(path: Path) -> onnx.ModelProto:
    """Read a graph with its weights."""
    import onnx

    return onnx.load(str(path))


def write(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph, replacing an earlier one, and validate it."""
    import onnx

    external = weight_bytes(model) > MAX_SINGLE_FILE_BYTES
    data = path.with_name(DATA_NAME)
    path.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    onnx.save_model(model, str(path), save_as_external_data=external, all_tensors_to_one_file=True, location=data.name)
    onnx.checker.check_model(str(path))


def weight_bytes(model: onnx.ModelProto) -> int:
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def files(folder: Path) -> Iterator[Path]:
    """The graph's file, and its external data if it has any."""
    for name in (MODEL_NAME, DATA_NAME):
        if (folder / name).is_file():
            yield folder / name
