"""What onnxruntime computes with, by what is installed and what is asked for."""

from __future__ import annotations

import pytest

from retrieval.encoders.execution_providers import CPU, Provider, providers_for
from retrieval.errors import ModelError

CUDA, DML, COREML = "CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider"


@pytest.mark.parametrize(
    ("device", "available", "small", "expected"),
    [
        ("auto", [CPU], False, [CPU]),
        ("auto", ["TensorrtExecutionProvider", CUDA, CPU], False, [CUDA, CPU]),
        ("auto", [DML, CPU], False, [DML, CPU]),
        ("auto", [COREML, CPU], False, [COREML, CPU]),
        ("auto", [CUDA, CPU], True, [CPU]),
        ("cpu", [CUDA, CPU], False, [CPU]),
        ("cuda", [CUDA, CPU], True, [CUDA, CPU]),
        ("cuda:1", [CUDA, CPU], False, [(CUDA, {"device_id": 1}), CPU]),
    ],
)
def test_the_fastest_that_is_there_and_fits(
    device: str, available: list[str], small: bool, expected: list[Provider]
) -> None:
    assert providers_for(device, available, small=small) == expected


@pytest.mark.parametrize(
    ("device", "words"), [("cuda", r"has CPU only: pip install 'c2llm-lsp\[gpu\]'"), ("tpu", "no device 'tpu'")]
)
def test_what_is_not_there_says_what_to_install(device: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        providers_for(device, [CPU], small=False)
