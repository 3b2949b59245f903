from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "onnxscript")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from retrieval.encoders.onnx import OnnxEncoder  # noqa: E402
from retrieval.errors import ModelError  # noqa: E402
from retrieval.model import export as exporting  # noqa: E402
from retrieval.model import graph_files  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import C2LLMConfig  # noqa: E402
from retrieval.model.export import export, export_checkpoint  # noqa: E402
from tests.model.checkpoints import DOCUMENT, Reference, byte_tokenizer, write_checkpoint  # noqa: E402

TINY = C2LLMConfig(
    hidden_size=32,
    num_hidden_layers=1,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    vocab_size=257,
    max_position_embeddings=128,
    compressed_dim=32,
    pma_num_heads=4,
)
pytestmark = pytest.mark.slow  # torch's exporter takes ten seconds and more
trace = torch.onnx.export
_traced: dict[str, Any] = {}


def exported(tmp_path: Path, precision: Any, **changes: Any) -> tuple[C2LLM, Any]:
    """Models of one configuration have the same weights here: torch traces each once, and all else is done each time."""
    import onnxruntime

    torch.manual_seed(0)
    model = C2LLM(replace(TINY, **changes)).eval()
    byte_tokenizer().save(str(tmp_path / "tokenizer.json"))
    key = f"{precision == 'fp16'} {sorted(changes.items())}"

    def traced(*given: Any, **options: Any) -> Any:
        if key not in _traced:
            _traced[key] = trace(*given, **options)
        return _traced[key]

    with mock.patch.object(torch.onnx, "export", traced):
        export(model, tmp_path / "tokenizer.json", tmp_path, precision=precision)
    return model, onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])


def rows(lengths: list[int], *, left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    generator, width = torch.Generator().manual_seed(4), max(lengths)
    texts = [torch.randint(2, 257, (n,), generator=generator) for n in lengths]
    ids, mask = torch.zeros(len(lengths), width, dtype=torch.long), torch.zeros(len(lengths), width, dtype=torch.long)
    for row, text in enumerate(texts):
        place = slice(width - len(text), width) if left else slice(0, len(text))
        ids[row, place], mask[row, place] = text, 1
    return ids, mask


def both(model: C2LLM, session: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[list[Any], list[Any]]:
    with torch.inference_mode():
        expected = [part.numpy() for part in model(ids, mask)]
    return expected, session.run(["vectors", "attention"], {"ids": ids.numpy(), "mask": mask.numpy()})


@pytest.mark.parametrize(
    "changes",
    [
        {"compressed_dim": 16},
        {"num_hidden_layers": 0},
        {"padding_side": "right"},
        {"embedding_method": "mean", "num_hidden_layers": 0},
    ],
)
def test_onnx_equals_torch_for_any_batch_and_length(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Where it is padded on the left, on either side."""
    model, session = exported(tmp_path, "fp32", **changes)
    if model.config.padding_side == "left":
        right, _ = both(model, session, *rows([9, 4]))
        _, left = both(model, session, *rows([9, 4], left=True))
        np.testing.assert_allclose(left[0], right[0], atol=2e-6)
    for lengths in ([1], [5, 2], [40, 3, 17, 1, 9]):
        for expected, found in zip(*both(model, session, *rows(lengths)), strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(("precision", "lowest"), [("fp16", 0.9999), ("int8", 0.99), ("int8-weights", 0.999)])
def test_fewer_bits_stay_close(tmp_path: Path, precision: str, lowest: float) -> None:
    """With weights alone in int8 a text has one vector in every batch, too."""
    model, session = exported(tmp_path, precision, padding_side="right")
    ids, mask = rows([12, 30, 7])
    expected, together = both(model, session, ids, mask)
    assert (expected[0] * together[0]).sum(axis=1).min() >= lowest
    if precision == "int8-weights":
        _, alone = both(model, session, ids[:1, :12], mask[:1, :12])
        np.testing.assert_allclose(together[0][0], alone[0][0], atol=2e-6)


@pytest.mark.parametrize("precision", ["fp32", "int8-weights"])
def test_many_weights_lie_beside_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    monkeypatch.setattr(graph_files, "MAX_SINGLE_FILE_BYTES", 1_000)
    model, session = exported(tmp_path, precision, num_hidden_layers=0)
    assert {path.name for path in graph_files.files(tmp_path)} == {"model.onnx", "model.onnx.data"}
    assert not list(tmp_path.glob(".export-*"))
    expected, found = both(model, session, *rows([12, 3]))
    assert (expected[0] * found[0]).sum(axis=1).min() >= 0.999


def test_the_encoder_of_an_exported_checkpoint_equals_the_reference(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=1)
    report = export_checkpoint(folder, tmp_path / "out", precision="fp32")
    assert report.cosine >= 0.9999
    encoder, texts = OnnxEncoder(tmp_path / "out"), ["def add(a, b): return a + b", "", "größe 🎉"]
    reference = Reference.of(folder)
    expected = torch.stack([reference.vector(text, DOCUMENT) for text in texts]).numpy()
    np.testing.assert_allclose(encoder.encode_passages(texts), expected, atol=1e-5)
    assert encoder.attention(texts[:1])[0][0][:2] == (0, 1)


def test_an_export_that_is_off_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "min_cosine", lambda *_: 0.5)
    with pytest.raises(ModelError, match=r"0\.5"):
        exported(tmp_path, "fp32", num_hidden_layers=0)
    assert {path.name for path in tmp_path.iterdir()} == {"tokenizer.json"}  # nothing is left behind
