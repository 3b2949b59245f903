from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoders import load, tokenization
from retrieval.encoders.onnx import OnnxEncoder, embedded_folder
from retrieval.errors import ModelError

SAME = 2e-6  # largest difference that the order of summation in another batch shape may make
PASSAGES = [
    "src/config.py\nload_settings\ndef load_settings(path):\n    with open(path) as handle:\n        return json.load(handle)",
    "src/net.py\nPool.acquire\ndef acquire(self):\n    return self._idle.pop() if self._idle else self._connect()",
    "src/sort.py\nquick_sort\ndef quick_sort(items):\n    if len(items) < 2:\n        return items",
    "src/mail.py\nsend_mail\ndef send_mail(to, subject, body):\n    server = smtplib.SMTP(host)",
]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("read the configuration file", 0),
        ("reuse an open connection from the pool", 1),
        ("sorting a list", 2),
        ("how are e-mails sent", 3),
    ],
)
def test_a_question_finds_its_code(embedded: OnnxEncoder, query: str, place: int) -> None:
    scores = embedded.encode_passages(PASSAGES) @ embedded.encode_queries([query])[0]
    assert int(scores.argmax()) == place


def test_vectors_are_unit_float32_in_the_order_of_the_texts(embedded: OnnxEncoder) -> None:
    texts = ["long " * 300, "short", "of middle length " * 9, ""]
    vectors = embedded.encode_passages(texts)
    assert vectors.shape == (4, embedded.dimension) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(embedded.encode_passages([text])[0], vector, atol=SAME)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=400), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_vector_does_not_depend_on_its_companions(embedded: OnnxEncoder, texts: list[str], random: object) -> None:
    together = embedded.encode_passages([*texts, *PASSAGES])
    for text, vector in zip(texts, together, strict=False):
        np.testing.assert_allclose(embedded.encode_passages([text])[0], vector, atol=SAME)


def test_no_texts_give_no_rows(embedded: OnnxEncoder) -> None:
    assert embedded.encode_queries([]).shape == (0, embedded.dimension)
    assert embedded.attention([]) == []


@pytest.mark.parametrize(
    "text",
    ["", " \n", "\ud800", "a\udfff b", "\0", "x" * 100_000, "word " * 100_000, "日本語", "🎉 é", "(((((" * 5_000],
)
def test_odd_text_gives_a_vector(embedded: OnnxEncoder, text: str) -> None:
    for vectors in (embedded.encode_queries([text]), embedded.encode_passages([text])):
        assert np.isfinite(vectors).all() and abs(np.linalg.norm(vectors) - 1) < 1e-4
    embedded.attention([text])


def test_a_text_of_100_000_characters_is_cut_before_it_costs_anything(
    embedded: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenized: list[int] = []
    real = tokenization.encodable
    monkeypatch.setattr(tokenization, "encodable", lambda text: (tokenized.append(len(text)), real(text))[1])
    embedded.encode_queries(["word " * 20_000])
    assert tokenized == [embedded.config.max_query_tokens * tokenization.CHARS_PER_TOKEN]


@pytest.mark.parametrize("text", [PASSAGES[0], "🎉 héllo getHTTPResponse(İx)", "a\r\n\tb", "x" * 200 + " end"])
def test_attention_points_into_the_original_text(embedded: OnnxEncoder, text: str) -> None:
    (weights,) = embedded.attention([text])
    assert sum(weight for _, _, weight in weights) == pytest.approx(1.0)
    last = 0
    for start, end, weight in weights:
        assert last <= start < end <= len(text) and weight >= 0
        assert text[start:end].strip()
        last = start
    assert {"🎉 héllo": True}.get(text[:7], True)


def test_attention_leaves_the_instruction_out(embedded: OnnxEncoder) -> None:
    (weights,) = embedded.attention(["answer retrieved"])
    assert [(start, end) for start, end, _ in weights] == [(0, 6), (7, 16)]


def test_the_fingerprint_is_that_of_the_files(embedded: OnnxEncoder, broken_copy: Path) -> None:
    assert OnnxEncoder(broken_copy).fingerprint == embedded.fingerprint
    config = broken_copy / "config.json"
    config.write_text(config.read_text().replace("Retrieved Answer:", "Answer:"))
    assert OnnxEncoder(broken_copy).fingerprint != embedded.fingerprint


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_damaged_model_file_is_said_to_be_one(broken_copy: Path, name: str, damage: str) -> None:
    path = broken_copy / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": b"\x00\xff" * 500}[damage])
    with pytest.raises(ModelError, match=name.replace(".", r"\.")) as caught:
        load(str(broken_copy))
    assert "\n" not in str(caught.value)


def run_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))} | {
        "HOME": str(home)
    }
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, check=True
    )


def test_loading_and_encoding_leave_nothing_in_the_home_folder(tmp_path: Path) -> None:
    done = run_python("from retrieval.encoders import load; load().encode_queries(['x'])", tmp_path)
    assert list(tmp_path.rglob("*")) == [] and done.stderr == ""


def test_telemetry_is_off_before_onnxruntime_is_imported(tmp_path: Path) -> None:
    code = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print("off" if os.environ.get("ORT_DISABLE_TELEMETRY") == "1" else "on")
sys.meta_path.insert(0, Watch())
from retrieval.encoders import load, tokenization
load()
"""
    assert run_python(code, tmp_path).stdout.strip() == "off"


def test_the_model_fits_its_budget() -> None:
    assert sum(path.stat().st_size for path in embedded_folder().iterdir()) <= 21_000_000
