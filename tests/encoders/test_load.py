from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.encoders import available, load
from retrieval.errors import ModelError


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(ModelError, match="embedded, minilm, overlap"):
        load("no-such-model")


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        load(str(tmp_path))


def test_three_lines_of_plain_python_give_vectors() -> None:
    encoder = load("embedded")
    vectors = encoder.encode_passages(["def apply_rules(path): ...", "class Invoice: ..."])
    assert (encoder.encode_queries(["where are rules applied"]) @ vectors.T).argmax() == 0


def test_the_names_are_listed() -> None:
    assert available() == ("embedded", "minilm", "overlap")


def test_importing_the_package_loads_no_model_library() -> None:
    heavy = ("onnxruntime", "tokenizers", "torch", "transformers", "httpx2", "starlette", "llama_index", "msgspec")
    code = f"import sys, retrieval.encoders; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
