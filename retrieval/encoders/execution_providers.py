"""Selects onnxruntime execution providers by what is installed and requested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrieval.errors import ModelError

CPU = "CPUExecutionProvider"
# The fastest first. Without TensorRT: it compiles for minutes at each new shape.
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


def providers_for(device: str, available: Sequence[str], *, small: bool) -> list[Provider]:
    """The providers for a session, in order of preference. Raises ModelError for a device that this onnxruntime cannot use.

    A small model is faster on the CPU than on the way to a GPU.
    """
    kind, _, number = device.partition(":")
    if kind in BY_DEVICE:
        if BY_DEVICE[kind] not in available:
            available_names = ", ".join(name.removesuffix("ExecutionProvider") for name in available)
            raise ModelError(
                f"The device is '{device}', but onnxruntime here has {available_names} only: {REMEDY[kind]}."
            )
        provider = BY_DEVICE[kind]
        return [(provider, {"device_id": int(number)}) if number.isdigit() else provider, CPU]
    if kind not in ("auto", "cpu"):
        raise ModelError(f"There is no device '{device}'; use one of auto, cpu, cuda, cuda:N, mps.")
    accelerators = [] if kind == "cpu" or small else [name for name in PREFERRED if name in available]
    return [*accelerators[:1], CPU]


def label(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")
