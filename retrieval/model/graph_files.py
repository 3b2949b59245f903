"""ONNX files: one file, or with the weights beside it where they are too many for one.

A protocol buffer ends at 2 GB, so that a large graph keeps its weights in a second file, which it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

MODEL_NAME, DATA_NAME = "model.onnx", "model.onnx.data"
ONE_FILE = 1_500_000_000  # bytes of weights that go into the graph's own file; the limit is 2 GB for all of it


def read(path: Path) -> onnx.ModelProto:
    """With its weights."""
    import onnx

    return onnx.load(str(path))


def write(model: onnx.ModelProto, path: Path) -> None:
    """Checked; what was there before is replaced."""
    import onnx

    apart = weight_bytes(model) > ONE_FILE
    data = path.with_name(DATA_NAME)
    path.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    onnx.save_model(model, str(path), save_as_external_data=apart, all_tensors_to_one_file=True, location=data.name)
    onnx.checker.check_model(str(path))


def weight_bytes(model: onnx.ModelProto) -> int:
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def files(folder: Path) -> Iterator[Path]:
    """The graph's file, and that of its weights where it has one."""
    for name in (MODEL_NAME, DATA_NAME):
        if (folder / name).is_file():
            yield folder / name
