"""A checkpoint in the published layout gives the vectors of an independent float64 computation, however it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.encoders import load  # noqa: E402
from retrieval.encoders.torch_encoder import TorchEncoder  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from tests.model.checkpoints import DOCUMENT, INSTRUCTION, Reference, write_checkpoint  # noqa: E402

CLOSE = 1e-5
TEXTS = [
    "def add(left, right):\n    return left + right",
    "x",
    "",
    "class Pool:\n" + "    def acquire(self):\n        return self._idle.pop()\n" * 8,
    "größe = 'é 🎉 日本語'",
    'fn main() { println!("{}", 1); }',
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> TorchEncoder:
    return TorchEncoder(folder, device="cpu", dtype="fp32", threads=1)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return Reference.of(folder)


def expected(reference: Reference, texts: list[str], instruction: str = DOCUMENT) -> Any:
    return torch.stack([reference.vector(text, instruction) for text in texts]).numpy()


def test_passages_and_queries_equal_the_reference_in_a_batch(encoder: TorchEncoder, reference: Reference) -> None:
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected(reference, TEXTS), atol=CLOSE)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected(reference, TEXTS, INSTRUCTION), atol=CLOSE)


@pytest.mark.parametrize("text", TEXTS)
def test_each_text_equals_the_reference_alone(encoder: TorchEncoder, reference: Reference, text: str) -> None:
    np.testing.assert_allclose(encoder.encode_passages([text]), expected(reference, [text]), atol=CLOSE)


@pytest.mark.parametrize("left", [True, False])
def test_padded_batches_equal_the_reference_on_both_sides(folder: Path, reference: Reference, left: bool) -> None:
    model = C2LLM.load(folder)
    rows = [torch.tensor(reference.tokenizer.encode(DOCUMENT + text).ids) for text in TEXTS]
    ids = torch.nn.utils.rnn.pad_sequence(
        rows, batch_first=True, padding_side="left" if left else "right", padding_value=256
    )
    ones = [torch.ones_like(row) for row in rows]
    mask = torch.nn.utils.rnn.pad_sequence(ones, batch_first=True, padding_side="left" if left else "right")
    with torch.inference_mode():
        vectors, _ = model(ids, mask)
    np.testing.assert_allclose(vectors.numpy(), expected(reference, TEXTS), atol=CLOSE)


@pytest.mark.slow  # sentence-transformers takes seconds to import
def test_sentence_transformers_use_equals_the_reference(encoder: TorchEncoder, reference: Reference) -> None:
    pytest.importorskip("sentence_transformers")
    from retrieval.encoders.sentence_transformer import as_sentence_transformer

    model = as_sentence_transformer(encoder)
    np.testing.assert_allclose(model.encode_document(TEXTS), expected(reference, TEXTS), atol=CLOSE)
    np.testing.assert_allclose(model.encode_query(TEXTS), expected(reference, TEXTS, INSTRUCTION), atol=CLOSE)


def test_a_budget_that_cuts_the_batch_changes_nothing(folder: Path, encoder: TorchEncoder) -> None:
    small = TorchEncoder(folder, device="cpu", dtype="fp32", budget=40, threads=1)
    np.testing.assert_allclose(small.encode_passages(TEXTS), encoder.encode_passages(TEXTS), atol=CLOSE)


@settings(max_examples=15)
@given(st.lists(st.text(max_size=300), min_size=1, max_size=9))
def test_no_text_changes_the_vector_of_another(encoder: TorchEncoder, texts: list[str]) -> None:
    together = encoder.encode_passages(texts)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder.encode_passages([text])[0], vector, atol=CLOSE)


def test_attention_equals_the_reference_and_points_into_the_text(encoder: TorchEncoder, reference: Reference) -> None:
    (looks,) = encoder.attention([TEXTS[0]])
    ids = reference.tokenizer.encode(DOCUMENT + TEXTS[0]).ids
    weights = reference.of_ids(torch.tensor([ids]))[1].numpy()[len(DOCUMENT) :]
    assert [(start, end) for start, end, _ in looks] == [(i, i + 1) for i in range(len(TEXTS[0]))]
    np.testing.assert_allclose([weight for _, _, weight in looks], weights / weights.sum(), atol=CLOSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"compressed_dim": 16},
        {"compressed_dim": 96},
        {"compressed_dim": None, "compress_dim": 32},
        {"tie_word_embeddings": False},
        {"num_key_value_heads": 4},
        {
            "model_type": "codefuse_cge_large",
            "architectures": ["CodeFuse_CGE_Large"],
            "compressed_dim": None,
            "compress_dim": 32,
        },
    ],
    ids=["narrow", "wide", "earlier-name", "untied", "own-keys", "cge"],
)
def test_every_shape_of_the_family_equals_its_reference(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_checkpoint(tmp_path, **changes)
    vectors = load(str(tmp_path), device="cpu", dtype="fp32").encode_passages(TEXTS)
    np.testing.assert_allclose(vectors, expected(Reference.of(tmp_path), TEXTS), atol=CLOSE)


def test_shards_hold_the_same_model(tmp_path: Path, encoder: TorchEncoder) -> None:
    write_checkpoint(tmp_path, shards=4)
    vectors = load(str(tmp_path), device="cpu", dtype="fp32").encode_passages(TEXTS)
    np.testing.assert_array_equal(vectors, encoder.encode_passages(TEXTS))


def test_weights_stored_as_bf16_are_computed_with_in_fp32(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dtype=torch.bfloat16)
    vectors = load(str(tmp_path), device="cpu", dtype="fp32").encode_passages(TEXTS)
    np.testing.assert_allclose(vectors, expected(Reference.of(tmp_path), TEXTS), atol=CLOSE)


@pytest.mark.parametrize(("dtype", "lowest"), [("bf16", 0.999), ("fp16", 0.9999)])
def test_half_precision_stays_close_and_has_a_fingerprint_of_its_own(
    folder: Path, encoder: TorchEncoder, dtype: str, lowest: float
) -> None:
    half = TorchEncoder(folder, device="cpu", dtype=dtype)
    cosines = (half.encode_passages(TEXTS) * encoder.encode_passages(TEXTS)).sum(axis=1)
    assert cosines.min() >= lowest
    assert half.fingerprint != encoder.fingerprint


def test_no_texts_give_no_rows(encoder: TorchEncoder) -> None:
    assert encoder.encode_passages([]).shape == (0, 48)
    assert encoder.attention([]) == []
