"""C2LLM as one ONNX file: backbone, pooling, unit length; a second output says where the pooling looks.

Inputs `ids` and `mask` (batch, length), outputs `vectors` (batch, dimension) and `attention` (batch, length). An output called
`embedding` would clash with a name that torch uses inside and make an invalid graph.

Precisions:
- fp32
- int8-weights: weights are stored as int8 and computed with in fp32, so that a text's vector does not depend on the
  other texts of its batch
- int8: onnxruntime's dynamic quantisation, whose activations are scaled over the whole batch: companions change a
  vector a little
In both int8 forms the token table is stored as int8 with one scale a row, and only the rows that a text needs are unpacked.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import MissingExtra, ModelError
from retrieval.model.c2llm import C2LLM
from retrieval.model.rightpadded import RightPadded

if TYPE_CHECKING:
    import onnx

Precision = Literal["fp32", "int8", "int8-weights"]
MODEL_NAME, TOKENIZER_NAME = "model.onnx", "tokenizer.json"
MIN_COSINE: dict[Precision, float] = {"fp32": 0.9999, "int8": 0.99, "int8-weights": 0.99}
OPSET = 18


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and the lowest cosine of its vectors with torch's."""

    precision: str
    megabytes: float
    cosine: float


def export(model: C2LLM, tokenizer: Path, out: Path, *, precision: Precision = "int8-weights") -> ExportReport:
    """Writes OUT/model.onnx, config.json and tokenizer.json. Raises ModelError where the result is not close enough to torch."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / MODEL_NAME
    _export_fp32(model, target)
    if precision == "int8":
        _quantise_dynamically(target)
    if precision != "fp32":
        _store_as_int8(target, all_weights=precision == "int8-weights")
    model.config.save(out)
    if tokenizer.resolve() != (out / TOKENIZER_NAME).resolve():
        shutil.copyfile(tokenizer, out / TOKENIZER_NAME)
    report = ExportReport(precision, round(target.stat().st_size / 1e6, 2), lowest_cosine(model, target))
    if report.cosine < MIN_COSINE[precision]:
        raise ModelError(
            f"The exported model is off: cosine {report.cosine:.5f}, expected {MIN_COSINE[precision]} at least."
        )
    return report


def _export_fp32(model: C2LLM, target: Path) -> None:
    ids, mask = _sample(model)
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=1)
    shape = {0: batch, 1: length}
    try:
        program = torch.onnx.export(
            _graph(model.eval()),
            (ids, mask),
            input_names=["ids", "mask"],
            output_names=["vectors", "attention"],
            dynamic_shapes=(shape, shape),
            opset_version=OPSET,
            dynamo=True,
            optimize=True,
            verbose=False,
        )
    except ImportError as error:
        raise MissingExtra("Export to ONNX", "train") from error
    if program is None:
        raise ModelError("torch made no ONNX program of the model: its version does not fit, try another.")
    program.save(str(target), external_data=False)


def _graph(model: C2LLM) -> torch.nn.Module:
    """What is traced: a model that says it is padded on the right needs no attention mask and runs a third faster."""
    return RightPadded(model) if model.config.padding_side == "right" else model


def _sample(model: C2LLM, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three rows of different lengths."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, model.config.vocab_size, (3, 24), generator=generator)
    mask = (torch.arange(24)[None, :] < torch.tensor([24, 17, 5])[:, None]).long()
    return ids * mask, mask


def _quantise_dynamically(target: Path) -> None:
    """MatMul in int8, activations quantised at run time."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        target, target, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, weight_type=QuantType.QInt8
    )


def _store_as_int8(target: Path, *, all_weights: bool) -> None:
    """The token table, and on wish every other matrix, as int8 with a scale a row or column."""
    import onnx

    graph_model = onnx.load(str(target))
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
    onnx.checker.check_model(graph_model)
    onnx.save(graph_model, str(target))


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


def lowest_cosine(model: C2LLM, target: Path) -> float:
    """Over random rows, padded on the right."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    ids, mask = _sample(model, seed=1)
    with torch.inference_mode():
        expected = model(ids, mask)[0].numpy()
    found = session.run(["vectors"], {"ids": ids.numpy(), "mask": mask.numpy()})[0]
    return round(float((expected * found).sum(axis=1).min()), 6)
