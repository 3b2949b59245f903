from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import ModelError
from retrieval.model.config import C2LLM_0_5B, C2LLM_7B, EMBEDDED, C2LLMConfig


@pytest.mark.parametrize("config", [C2LLM_0_5B, C2LLM_7B, EMBEDDED])
def test_a_configuration_survives_the_file(config: C2LLMConfig, tmp_path: Path) -> None:
    config.save(tmp_path)
    assert C2LLMConfig.load(tmp_path) == config


def test_the_published_keys_are_read_and_unknown_ones_ignored() -> None:
    values = {
        "model_type": "c2llm",
        "hidden_size": 64,
        "num_attention_heads": 4,
        "compress_dim": 32,
        "torch_dtype": "float16",
        "auto_map": {},
    }
    config = C2LLMConfig.from_dict(values)
    assert (config.hidden_size, config.compressed_dim, config.dtype) == (64, 32, "float16")


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": "bert"},
        {"embedding_method": "max"},
        {"compressed_dim": 100, "pma_num_heads": 32},
        {"pma_norm_mode": "pre_normal"},
    ],
)
def test_a_configuration_of_another_kind_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        C2LLMConfig.from_dict(values)


@pytest.mark.parametrize("text", ["", "{", "[]", '"c2llm"', json.dumps({"hidden_size": "wide"})])
def test_a_damaged_file_is_said_to_be_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError):
        C2LLMConfig.load(tmp_path)


def test_a_file_that_is_none_or_nested_without_end_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ModelError, match="deep"):
        C2LLMConfig.load(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="not a regular file"):
        C2LLMConfig.load(tmp_path)


def test_a_folder_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        C2LLMConfig.load(tmp_path)
