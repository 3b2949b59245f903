"""Import an exported graph as a trainable model: int8 weights become the floats that onnxruntime dequantizes them to.

Our own export keeps the checkpoint's name of nearly every weight. The others are reconstructed:
- right-hand sides of MatMul are transposed and numbered: the missing ones are assigned in the order of the computation,
  which is that of `tensor_layout.tensors`
- the biases of q, k and v may be fused into one vector, that of fc_v is reshaped by heads
- the bias of fc_k is absent, because it cancels in softmax: it becomes zero
The vectors of the graph and of the imported model are compared, and an import that differs is rejected.
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
from retrieval.model.export import min_cosine, random_batch
from retrieval.model.graph_files import MODEL_NAME

if TYPE_CHECKING:
    import onnx

MIN_COSINE = 0.9999  # another order of summation differs by 1e-6; a wrong weight by far more
_KEY_BIAS, _VALUE_BIAS = (f"{tensor_layout.POOLING}mab.{name}.bias" for name in ("fc_k", "fc_v"))
_PREFIX = "model."  # attribute of the traced module that wraps the model

Array = NDArray[np.float32]


def load_from_onnx(folder: Path) -> C2LLM:
    """Import FOLDER/model.onnx, of an asymmetric model what reads queries. Raises ModelError for a graph that cannot be."""
    if find_spec("onnx") is None:
        raise MissingExtraError("Training an exported model", "train")
    config = C2LLMConfig.load(folder)
    path = folder / MODEL_NAME
    try:
        graph = graph_files.read(path).graph
    except Exception as error:  # protobuf raises classes of its own
        raise ModelError(f"{path} cannot be read as an ONNX graph ({error}).") from error
    model = C2LLM(config)
    tensors = _weights(graph, config, path)
    state = model.state_dict()
    for name in tensor_layout.tensors(config):
        state[name].copy_(torch.from_numpy(tensors[name]))
    model.eval()
    batches = [random_batch(model)]
    with torch.inference_mode():
        cosine = min_cosine(path, batches, [model(ids, mask)[0] for ids, mask in batches])
    if cosine < MIN_COSINE:
        raise _import_error(path, f"the imported weights compute something else (cosine {cosine:.5f})")
    return model


def _import_error(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path} cannot be imported for training: {reason}. Use the checkpoint that it was exported from."
    )


def _weights(graph: onnx.GraphProto, config: C2LLMConfig, path: Path) -> dict[str, Array]:
    constants = _constants(graph)
    shapes = tensor_layout.tensors(config)
    tensors = {}
    for name in shapes:
        for graph_name in (name, _PREFIX + name):
            if graph_name in constants:
                tensors[name] = constants.pop(graph_name)
    matrices, vectors = list(_matmul_weights(graph, constants)), list(_bias_vectors(graph, constants))
    heads = (1, config.pma_num_heads, config.compressed_dim // config.pma_num_heads)
    by_heads = [values for values in constants.values() if values.shape == heads]
    for name, shape in shapes.items():
        if name in tensors:
            continue
        if name == _KEY_BIAS:
            tensors[name] = np.zeros(shape, np.float32)
        elif name == _VALUE_BIAS and len(by_heads) == 1:
            tensors[name] = by_heads[0].reshape(shape)
        elif name.endswith("q_proj.bias") and vectors:
            tensors |= _split_qkv_bias(vectors.pop(0), name, shapes)
        elif len(shape) == 2 and matrices:
            tensors[name] = matrices.pop(0).T.copy()
        else:
            raise _import_error(path, f"{name} is not in it")
    if wrong := [name for name, shape in shapes.items() if tensors[name].shape != shape]:
        raise _import_error(path, f"{wrong[0]} is of the shape {tensors[wrong[0]].shape} instead of {shapes[wrong[0]]}")
    return tensors


def _constants(graph: onnx.GraphProto) -> dict[str, Array]:
    """The initializers of the graph by name, dequantized to float32."""
    from onnx import numpy_helper

    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    axes = {node.input[0]: _axis(node) for node in graph.node if node.op_type == "DequantizeLinear"}
    tensors: dict[str, Array] = {}
    for name, values in stored.items():
        plain = name.removesuffix(".int8")
        if plain != name and f"{plain}.scale" in stored:
            scale = stored[f"{plain}.scale"].astype(np.float32)
            if scale.ndim == 1 and values.ndim == 2:
                scale = scale[:, None] if axes.get(name) == 0 else scale[None, :]
            tensors[plain] = values.astype(np.float32) * scale
        elif values.dtype in (np.float32, np.float16):
            tensors[name] = values.astype(np.float32)
    return tensors


def _axis(node: Any) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)


def _matmul_weights(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Iterator[Array]:
    """Right-hand sides of MatMul nodes, in graph order."""
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants and constants[node.input[1]].ndim == 2:
            yield constants[node.input[1]]


def _bias_vectors(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Iterator[Array]:
    """Vectors that are added (biases), in graph order."""
    for node in graph.node:
        if node.op_type == "Add":
            yield from (constants[name] for name in node.input if name in constants and constants[name].ndim == 1)


def _split_qkv_bias(vector: Array, first: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Split a fused bias into those of q, k and v."""
    names = [first.replace("q_proj", part) for part in ("q_proj", "k_proj", "v_proj")]
    ends = np.cumsum([shapes[name][0] for name in names])
    return dict(zip(names, (part.copy() for part in np.split(vector, ends[:-1])), strict=True))
