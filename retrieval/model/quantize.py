"""Quantize an exported graph, without torch: int8 weights, and optionally int8 matrix products.

There are two ways to int8 products. One activation scale for the whole batch is fastest in onnxruntime, and accurate if activations
have similar magnitudes. Models as large as C2LLM-0.5B have outlier channels a hundred times larger than the rest, beside which all
else rounds to zero (cosine 0.66 on four layers with three such channels); block-wise scales for each 32 values isolate them
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

from retrieval.model.graph_files import MAX_SINGLE_FILE_BYTES, files, read, write

if TYPE_CHECKING:
    import onnx


BLOCK_SIZE = 32  # values that share a scale; with 128 the same cosine was 0.9917, at a tenth more speed
INT8_ACCURACY_LEVEL = 4  # onnxruntime's "accuracy level" that quantizes activations to int8 as well


def quantize_dynamic_int8(source: Path, target: Path) -> None:
    """MatMul in int8, with one scale for all activations of a run (dynamic quantization)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=sum(path.stat().st_size for path in files(source.parent)) > MAX_SINGLE_FILE_BYTES,
        )


def quantize_blockwise(source: Path, target: Path) -> None:
    """MatMul in int8, with a scale for each 32 weights and each 32 activations of a token."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with _quiet():
        quantizer = MatMulNBitsQuantizer(
            read(source), bits=8, block_size=BLOCK_SIZE, is_symmetric=True, accuracy_level=INT8_ACCURACY_LEVEL
        )
        quantizer.process()
    write(quantizer.model.model, target)


@contextmanager
def _quiet() -> Iterator[None]:
    """onnxruntime's tools log every MatMul on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def quantize_weights(source: Path, target: Path, *, all_weights: bool) -> None:
    """Store the embedding table, and with `all_weights` every other matrix, as int8 with one scale a row or column."""
    import onnx

    graph_model = read(source)
    graph = graph_model.graph
    for tensor in list(graph.initializer):
        if len(tensor.dims) != 2 or tensor.data_type != onnx.TensorProto.FLOAT or min(tensor.dims) < 8:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] == tensor.name]
        if gathers:
            _replace_embedding(graph, tensor, gathers, values)
        elif all_weights:
            _replace_matrix(graph, tensor, values)
    write(graph_model, target)


def _quantize(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 values, and their scales along the other axis."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.round(values / scale).astype(np.int8), scale.astype(np.float32)


def _replace_embedding(graph: onnx.GraphProto, tensor: Any, gathers: list[Any], values: NDArray[np.float32]) -> None:
    """Gather(table) becomes Cast(Gather(int8 table)) * Gather(scales)."""
    from onnx import TensorProto, helper, numpy_helper

    quantized, scale = _quantize(values, axis=1)
    name = tensor.name
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(quantized, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    for gather in gathers:
        index, ids, result = list(graph.node).index(gather), gather.input[1], gather.output[0]
        nodes = [
            helper.make_node("Gather", [f"{name}.int8", ids], [f"{result}.int8"], axis=0),
            helper.make_node("Cast", [f"{result}.int8"], [f"{result}.float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", ids], [f"{result}.scale"], axis=0),
            helper.make_node("Mul", [f"{result}.float", f"{result}.scale"], [result]),
        ]
        graph.node.remove(gather)
        for offset, node in enumerate(nodes):
            graph.node.insert(index + offset, node)


def _replace_matrix(graph: onnx.GraphProto, tensor: Any, values: NDArray[np.float32]) -> None:
    """The matrix becomes Cast(int8 matrix) * scales, which onnxruntime folds into a float matrix when it loads the file.

    Not DequantizeLinear: onnxruntime keeps it in the graph for fusions that never happen, and runs it with every batch.
    """
    from onnx import TensorProto, helper, numpy_helper

    quantized, scale = _quantize(values, axis=0)
    name = tensor.name
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(quantized, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    graph.node.insert(0, helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
