from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "onnx")

from retrieval.encoders.onnx import OnnxEncoder, embedded_folder  # noqa: E402
from retrieval.errors import ModelError  # noqa: E402
from retrieval.model.config import C2LLMConfig  # noqa: E402
from retrieval.model.import_onnx import load_from_onnx  # noqa: E402
from retrieval.training.forward import encode  # noqa: E402
from retrieval.training.mixture import tokens  # noqa: E402

SAMPLES = [
    "def add(left, right):\n    return left + right",
    "a 🎁 in a box",
    "func (q *Queue) Push(job Job) { q.wake() }",
]


def test_the_embedded_model_can_be_trained_and_computes_what_the_shipped_graph_does() -> None:
    from tokenizers import Tokenizer

    folder = embedded_folder()
    model = load_from_onnx(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = model.config
    rows = tokens(tokenizer, SAMPLES, config.document_instruction, config.max_passage_tokens)
    wanted = OnnxEncoder(folder, threads=1, asymmetric=False).encode_passages(SAMPLES)
    assert np.abs(encode(model, rows) - wanted).max() < 1e-3
    assert float((encode(model, rows) * wanted).sum(axis=1).min()) > 0.99999


@pytest.mark.slow
@pytest.mark.parametrize(("side", "precision", "layers"), [("left", "fp32", 2), ("right", "int8-weights", 1)])
def test_a_graph_with_layers_gives_its_model_back(tmp_path: Path, side: str, precision: str, layers: int) -> None:
    pytest.importorskip("onnxscript")
    from retrieval.model.export import export
    from tests.finetune.models import exportable, tokenizer

    model = exportable(side, layers)
    tokenizer().save(str(tmp_path / "given.json"))
    export(model, tmp_path / "given.json", tmp_path / "out", precision=precision)  # type: ignore[arg-type]
    found = load_from_onnx(tmp_path / "out").state_dict()
    for name, tensor in model.state_dict().items():
        if name in ("mha_pma.mab.fc_k.bias", "plm_model.lm_head.weight"):
            continue
        assert (found[name] - tensor).abs().max() < (1e-6 if precision == "fp32" else 0.02), name


def test_what_is_no_graph_of_ours_is_refused_in_words(tmp_path: Path) -> None:
    folder = embedded_folder()
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        load_from_onnx(tmp_path)
    more = replace(C2LLMConfig.load(folder), num_hidden_layers=3)
    more.save(tmp_path)
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="checkpoint that it was exported from"):
        load_from_onnx(tmp_path)
