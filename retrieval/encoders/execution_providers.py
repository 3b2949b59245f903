"""What onnxruntime computes with, by what is installed and what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrieval.errors import ModelError

CPU = "CPUExecutionProvider"
# The fastest first. TensorRT is left out: it compiles for minutes at each new shape.
PREFERRED = (
    "CUDAExecutionProvider",
    "ROCMExecutionProvider",
    "MIGraphXExecutionProvider",
    "DmlExecutionProvider",
    "CoreMLExecutionProvider",
)
BY_DEVICE = {"cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
REMEDY = {"cuda": "pip install 'c2llm-lsp[gpu]', then c2llm doctor", "mps": "set C2LLM_DEVICE=cpu"}

Provider = str | tuple[str, dict[str, Any]]


def chosen(device: str, available: Sequence[str], *, small: bool) -> list[Provider]:
    """The providers for a session, in rising generality. Raises ModelError for a device that this onnxruntime cannot use.

    A small model is faster on the CPU than on the way to a GPU.
    """
    kind, _, number = device.partition(":")
    if kind in BY_DEVICE:
        if BY_DEVICE[kind] not in available:
            known = ", ".join(name.removesuffix("ExecutionProvider") for name in available)
            raise ModelError(f"The device is '{device}', but onnxruntime here has {known} only: {REMEDY[kind]}.")
        found = BY_DEVICE[kind]
        return [(found, {"device_id": int(number)}) if number.isdigit() else found, CPU]
    if kind not in ("auto", "cpu"):
        raise ModelError(f"There is no device '{device}'; use one of auto, cpu, cuda, cuda:N, mps.")
    faster = [] if kind == "cpu" or small else [name for name in PREFERRED if name in available]
    return [*faster[:1], CPU]


def label(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")
