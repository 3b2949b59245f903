"""A model that can be trained out of an exported graph: weights stored as int8 become the floats that onnxruntime computes with.

Our own export names nearly every weight as the checkpoint does. What it names or shapes otherwise is put back:
- a matrix that is multiplied from the right stands there transposed and under a number: those that are missing are taken in
  the order of the computation, which is that of `layout.tensors`
- the biases of q, k and v may be joined to one vector, that of fc_v is parted by heads
- the bias of fc_k is not there, because it drops out of softmax: zeros do
Whether that was right is not left to chance: vectors of the graph and of the model are compared, and one that differs is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import MissingExtraError, ModelError
from retrieval.model import graph_files, tensor_layout
from retrieval.model.c2llm import C2LLM
from retrieval.model.config import C2LLMConfig
from retrieval.model.export import lowest_cosine, random_rows
from retrieval.model.graph_files import MODEL_NAME

if TYPE_CHECKING:
    import onnx

LEAST_COSINE = 0.9999  # sums in another order differ by 1e-6; a wrong weight by far more
_KEY_BIAS, _VALUE_BIAS = (f"{tensor_layout.POOLING}mab.{name}.bias" for name in ("fc_k", "fc_v"))
_PREFIX = "model."  # of the module that is traced around the model

Array = NDArray[np.float32]


def from_graph(folder: Path) -> C2LLM:
    """The model that FOLDER/model.onnx computes. Raises ModelError for a graph that it cannot be read out of."""
    if find_spec("onnx") is None:
        raise MissingExtraError("Training an exported model", "train")
    config = C2LLMConfig.load(folder)
    path = folder / MODEL_NAME
    try:
        graph = graph_files.read(path).graph
    except Exception as error:  # protobuf raises classes of its own
        raise ModelError(f"{path} cannot be read as a graph ({error}).") from error
    model = C2LLM(config)
    found = _weights(graph, config, path)
    state = model.state_dict()
    for name in tensor_layout.tensors(config):
        state[name].copy_(torch.from_numpy(found[name]))
    model.eval()
    batches = [random_rows(model)]
    with torch.inference_mode():
        cosine = lowest_cosine(path, batches, [model(ids, mask)[0] for ids, mask in batches])
    if cosine < LEAST_COSINE:
        raise _refused(path, f"what was read computes something else (cosine {cosine:.5f})")
    return model


def with_vectors(folder: Path, out: Path, changed: Mapping[str, Array]) -> Path:
    """FOLDER/model.onnx with other values in some of its vectors, named as in a checkpoint; all else stays bit for bit."""
    from onnx import numpy_helper

    model = graph_files.read(folder / MODEL_NAME)
    for name, values in changed.items():
        place = next((t for t in model.graph.initializer if t.name in (name, _PREFIX + name)), None)
        if place is None or tuple(place.dims) != values.shape:
            raise _refused(folder / MODEL_NAME, f"{name} is not in it")
        type_of = numpy_helper.to_array(place).dtype
        place.CopyFrom(numpy_helper.from_array(values.astype(type_of), place.name))
    graph_files.write(model, out / MODEL_NAME)
    return out / MODEL_NAME


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"No model that can be trained can be read out of {path}: {reason}. Use the checkpoint that it was exported from."
    )


def _weights(graph: onnx.GraphProto, config: C2LLMConfig, path: Path) -> dict[str, Array]:
    constants = _constants(graph)
    wanted = tensor_layout.tensors(config)
    found = {}
    for name in wanted:
        for known in (name, _PREFIX + name):
            if known in constants:
                found[name] = constants.pop(known)
    matrices, vectors = list(_multiplied(graph, constants)), list(_added(graph, constants))
    heads = (1, config.pma_num_heads, config.compressed_dim // config.pma_num_heads)
    by_heads = [values for values in constants.values() if values.shape == heads]
    for name, shape in wanted.items():
        if name in found:
            continue
        if name == _KEY_BIAS:
            found[name] = np.zeros(shape, np.float32)
        elif name == _VALUE_BIAS and len(by_heads) == 1:
            found[name] = by_heads[0].reshape(shape)
        elif name.endswith("q_proj.bias") and vectors:
            found |= _parted(vectors.pop(0), name, wanted)
        elif len(shape) == 2 and matrices:
            found[name] = matrices.pop(0).T.copy()
        else:
            raise _refused(path, f"{name} is not in it")
    if wrong := [name for name, shape in wanted.items() if found[name].shape != shape]:
        raise _refused(path, f"{wrong[0]} is of the shape {found[wrong[0]].shape} instead of {wanted[wrong[0]]}")
    return found


def _constants(graph: onnx.GraphProto) -> dict[str, Array]:
    """The numbers of the graph by name, in float32; int8 ones with their scales applied."""
    from onnx import numpy_helper

    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    axes = {node.input[0]: _axis(node) for node in graph.node if node.op_type == "DequantizeLinear"}
    found: dict[str, Array] = {}
    for name, values in stored.items():
        plain = name.removesuffix(".int8")
        if plain != name and f"{plain}.scale" in stored:
            scale = stored[f"{plain}.scale"].astype(np.float32)
            if scale.ndim == 1 and values.ndim == 2:
                scale = scale[:, None] if axes.get(name) == 0 else scale[None, :]
            found[plain] = values.astype(np.float32) * scale
        elif values.dtype in (np.float32, np.float16):
            found[name] = values.astype(np.float32)
    return found


def _axis(node: Any) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)


def _multiplied(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Iterator[Array]:
    """Matrices that a product has on its right, in the order of the products."""
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants and constants[node.input[1]].ndim == 2:
            yield constants[node.input[1]]


def _added(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Iterator[Array]:
    """Vectors that are added, in the order of the sums."""
    for node in graph.node:
        if node.op_type == "Add":
            yield from (constants[name] for name in node.input if name in constants and constants[name].ndim == 1)


def _parted(vector: Array, first: str, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The biases of q, k and v, which one product adds at once."""
    names = [first.replace("q_proj", part) for part in ("q_proj", "k_proj", "v_proj")]
    ends = np.cumsum([wanted[name][0] for name in names])
    return dict(zip(names, (part.copy() for part in np.split(vector, ends[:-1])), strict=True))
