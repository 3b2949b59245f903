"""What is wrong with a checkpoint's files is said by name, before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.errors import ModelError  # noqa: E402
from retrieval.model import tensor_layout  # noqa: E402
from retrieval.model.c2llm import C2LLM, parameter_count  # noqa: E402
from retrieval.model.checkpoint import open_checkpoint  # noqa: E402
from retrieval.model.config import C2LLM_0_5B, C2LLM_7B, C2LLMConfig  # noqa: E402
from tests.model.checkpoints import CONFIG, tensors_of, write_checkpoint, write_tensors  # noqa: E402

NORM = "plm_model.model.norm.weight"
Tensors = dict[str, Any]


@pytest.mark.parametrize(("config", "count"), [(C2LLM_0_5B, 497_252_096), (C2LLM_7B, 7_667_028_992)])
def test_the_layout_has_the_published_number_of_parameters_and_torchs_own_names(
    config: C2LLMConfig, count: int
) -> None:
    with torch.device("meta"):
        model = C2LLM(config)
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert tensor_layout.stored_tensors(config) == own
    assert tensor_layout.parameters(tensor_layout.stored_tensors(config)) == parameter_count(config) == count


def test_the_head_is_a_tensor_of_its_own_only_where_it_is_not_tied() -> None:
    assert tensor_layout.LM_HEAD not in tensor_layout.stored_tensors(C2LLM_0_5B)
    assert tensor_layout.stored_tensors(C2LLM_7B)[tensor_layout.LM_HEAD] == (152_064, 3_584)


def test_the_published_layout_is_the_one_that_the_tests_write() -> None:
    """Names and shapes of the tests' own writer, which follows the description and not the product."""
    assert {name: tuple(tensor.shape) for name, tensor in tensors_of(CONFIG).items()} == tensor_layout.stored_tensors(
        C2LLMConfig.from_dict(CONFIG)
    )


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("present", [True, False])
def test_the_unused_head_may_be_there_or_not(tmp_path: Path, tied: bool, present: bool) -> None:
    write_checkpoint(tmp_path, tie_word_embeddings=tied)
    tensors = tensors_of(CONFIG | {"tie_word_embeddings": not present})
    write_tensors(tmp_path, tensors)
    assert (tensor_layout.LM_HEAD in open_checkpoint(tmp_path).names) == present
    C2LLM.load(tmp_path)


def lacking(tensors: Tensors) -> None:
    for name in [name for name in tensors if "layers.1." in name]:
        del tensors[name]


def renamed(tensors: Tensors) -> None:
    tensors["mha_pma.mab.fc_x.weight"] = tensors.pop("mha_pma.mab.fc_k.weight")


def misshaped(tensors: Tensors) -> None:
    tensors[NORM] = torch.ones(65)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lacking, ["missing: plm_model.model.layers.1.input_layernorm.weight", "and 9 more"]),
        (renamed, ["missing: mha_pma.mab.fc_k.weight", "unexpected: mha_pma.mab.fc_x.weight"]),
        (misshaped, [f"wrong shape: {NORM} (65,) instead of (64,)"]),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, damage: Callable[[Tensors], None], words: list[str], shards: int
) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    tensors = tensors_of(CONFIG)
    damage(tensors)
    write_tensors(tmp_path, tensors, shards=shards)
    with pytest.raises(ModelError) as caught:
        open_checkpoint(tmp_path)
    assert all(word in str(caught.value) for word in words), caught.value


def test_constants_that_older_files_hold_are_passed_over(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    extra = {"plm_model.model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}
    write_tensors(tmp_path, tensors_of(CONFIG) | extra)
    open_checkpoint(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5])
def test_a_half_downloaded_file_is_said_to_be_one(tmp_path: Path, kept: float) -> None:
    write_checkpoint(tmp_path, shards=2)
    file = tmp_path / "model-00002-of-00002.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: int(kept if kept >= 1 or kept == 0 else kept * len(content))])
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors is half downloaded or damaged"):
        open_checkpoint(tmp_path)


def test_a_shard_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, shards=3)
    (tmp_path / "model-00003-of-00003.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no model-00003-of-00003\.safetensors.*not complete"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        "",
        "{",
        "[]",
        '{"weight_map": []}',
        json.dumps({"weight_map": {"a": "../../etc/passwd"}}),
        '{"weight_map": {"a": 3}}',
    ],
)
def test_an_index_that_is_damaged_or_leads_elsewhere_is_refused(tmp_path: Path, index: str) -> None:
    write_checkpoint(tmp_path, shards=2)
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError, match=r"index\.json"):
        open_checkpoint(tmp_path)


def test_a_folder_with_pickled_weights_alone_holds_no_checkpoint(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "bert", "architectures": ["BertModel"]}, r"'bert' \(BertModel\)"),
        ({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}, r"'qwen2'"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, "yarn"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "llama3"),
        ({"use_sliding_window": True}, "sliding window"),
        ({"num_key_value_heads": 3}, "heads"),
        ({"num_attention_heads": 0}, "heads"),
        ({"hidden_size": -64}, "hidden_size = -64"),
        ({"pma_ln": "yes"}, "pma_ln"),
    ],
)
def test_a_model_that_computes_something_else_is_refused(tmp_path: Path, changes: Any, words: str) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | changes))
    with pytest.raises(ModelError, match=words):
        open_checkpoint(tmp_path)


def test_the_rotary_base_is_read_where_either_version_of_transformers_keeps_it() -> None:
    assert C2LLMConfig.from_dict({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}).rope_theta == 5e5
    assert C2LLMConfig.from_dict({"rope_theta": 1e4, "rope_parameters": None}).rope_theta == 1e4
    assert C2LLMConfig.from_dict({}).rope_theta == 1e6
