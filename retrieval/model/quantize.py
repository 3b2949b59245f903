"""An exported graph in fewer bits, without torch: weights as int8, and products in int8 where that is asked for.

Two ways to products in int8. With one scale for a whole batch of activations onnxruntime is fastest, and that is good enough where
activations are of one size. Models as large as C2LLM-0.5B have channels that are a hundred times larger than the rest, beside which
all else rounds to nothing (cosine 0.66 on four layers with three such channels); a scale for each 32 numbers keeps them apart
(0.9988 there).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model.graph_files import ONE_FILE, files, read, write

if TYPE_CHECKING:
    import onnx


BLOCK = 32  # numbers that share a scale; with 128 the same cosine was 0.9917, at a tenth more speed
INT8_PRODUCTS = 4  # onnxruntime's "accuracy level" in which activations become int8 as well


def quantize_dynamically(source: Path, target: Path) -> None:
    """MatMul in int8, with one scale for all activations of a run."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=sum(path.stat().st_size for path in files(source.parent)) > ONE_FILE,
        )


def quantize_by_blocks(source: Path, target: Path) -> None:
    """MatMul in int8, with a scale for each 32 weights and each 32 activations of a token."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with _quiet():
        work = MatMulNBitsQuantizer(
            read(source), bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=INT8_PRODUCTS
        )
        work.process()
    write(work.model.model, target)


@contextmanager
def _quiet() -> Iterator[None]:
    """onnxruntime's tools log every product on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def store_as_int8(source: Path, target: Path, *, all_weights: bool) -> None:
    """The token table, and on wish every other matrix, as int8 with a scale a row or column."""
    import onnx

    graph_model = read(source)
    graph = graph_model.graph
    for tensor in list(graph.initializer):
        if len(tensor.dims) != 2 or tensor.data_type != onnx.TensorProto.FLOAT or min(tensor.dims) < 8:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] == tensor.name]
        if gathers:
            _replace_table(graph, tensor, gathers, values)
        elif all_weights:
            _replace_matrix(graph, tensor, values)
    write(graph_model, target)


def _rounded(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values and the scale along the other axis."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.round(values / scale).astype(np.int8), scale.astype(np.float32)


def _replace_table(graph: onnx.GraphProto, tensor: Any, gathers: list[Any], values: NDArray[np.float32]) -> None:
    """Gather(table) becomes Cast(Gather(int8 table)) * Gather(scales)."""
    from onnx import TensorProto, helper, numpy_helper

    numbers, scale = _rounded(values, axis=1)
    name = tensor.name
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(numbers, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    for gather in gathers:
        place, ids, result = list(graph.node).index(gather), gather.input[1], gather.output[0]
        nodes = [
            helper.make_node("Gather", [f"{name}.int8", ids], [f"{result}.int8"], axis=0),
            helper.make_node("Cast", [f"{result}.int8"], [f"{result}.float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", ids], [f"{result}.scale"], axis=0),
            helper.make_node("Mul", [f"{result}.float", f"{result}.scale"], [result]),
        ]
        graph.node.remove(gather)
        for offset, node in enumerate(nodes):
            graph.node.insert(place + offset, node)


def _replace_matrix(graph: onnx.GraphProto, tensor: Any, values: NDArray[np.float32]) -> None:
    """The matrix becomes Cast(int8 matrix) * scales, which onnxruntime folds into a float matrix when it loads the file.

    Not DequantizeLinear: that one is left in the graph for fusions that do not come, and runs with every batch.
    """
    from onnx import TensorProto, helper, numpy_helper

    numbers, scale = _rounded(values, axis=0)
    name = tensor.name
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(numbers, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    graph.node.insert(0, helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
