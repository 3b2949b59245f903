"""Tiny random checkpoints in the published layout, and C2LLM computed from such files in float64, by another way.

The reference shares nothing with the product: it reads the files with safetensors, runs transformers' Qwen2ForCausalLM in float64
on one text at a time without padding, and pools by the formula of the report as it stands there, with no folding.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

INSTRUCTION = "Retrieve the code that solves the following query:\n"
DOCUMENT = "Retrieved Answer:"

# As in the published config.json, but small. The pooling is narrower than the backbone, so that a mix-up of the two shows.
CONFIG: dict[str, Any] = {
    "architectures": ["C2LLMForEmbedding"],
    "model_type": "c2llm",
    "hidden_size": 64,
    "compressed_dim": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 112,
    "vocab_size": 300,
    "rope_theta": 1000000.0,
    "rms_norm_eps": 1e-06,
    "max_position_embeddings": 32768,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "pma_num_heads": 8,
    "pma_ln": True,
    "pma_norm": False,
    "pma_norm_mode": "post_normal",
    "padding_side": "left",
    "embedding_method": "pma",
    "dtype": "float32",
}


def tensors_of(config: dict[str, Any], *, seed: int = 5) -> dict[str, Tensor]:
    """Random values under the published names. Biases and norms are random too, or a mistake with them would not show."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int, scale: float = 0.1, around: float = 0.0) -> Tensor:
        return around + scale * torch.randn(*shape, generator=generator)

    width, inner = config["hidden_size"], config["intermediate_size"]
    shared = width // config["num_attention_heads"] * config["num_key_value_heads"]
    own = config.get("compressed_dim") or config["compress_dim"]
    found = {
        "plm_model.model.embed_tokens.weight": draw(config["vocab_size"], width, scale=1.0),
        "plm_model.model.norm.weight": draw(width, around=1.0),
        "mha_pma.S": draw(1, 1, own),
    }
    for number in range(config["num_hidden_layers"]):
        layer = f"plm_model.model.layers.{number}."
        for name, size in (("q", width), ("k", shared), ("v", shared)):
            found[f"{layer}self_attn.{name}_proj.weight"] = draw(size, width)
            found[f"{layer}self_attn.{name}_proj.bias"] = draw(size)
        found[f"{layer}self_attn.o_proj.weight"] = draw(width, width)
        for name, shape in (("gate", (inner, width)), ("up", (inner, width)), ("down", (width, inner))):
            found[f"{layer}mlp.{name}_proj.weight"] = draw(*shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{layer}{name}.weight"] = draw(width, around=1.0)
    for name, inputs in (("fc_q", own), ("fc_k", width), ("fc_v", width), ("fc_o", own)):
        found[f"mha_pma.mab.{name}.weight"] = draw(own, inputs, scale=0.5)
        found[f"mha_pma.mab.{name}.bias"] = draw(own)
    for name in ("ln0", "ln1"):
        found[f"mha_pma.mab.{name}.weight"] = draw(own, around=1.0)
        found[f"mha_pma.mab.{name}.bias"] = draw(own)
    if not config["tie_word_embeddings"]:
        found["plm_model.lm_head.weight"] = draw(config["vocab_size"], width)
    return found


def write_checkpoint(folder: Path, *, shards: int = 1, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
    """The folder as the hub has it: config.json, tokenizer.json and weights, in one file or in shards with their index.

    A change to None leaves the key out.
    """
    config = {key: value for key, value in (CONFIG | changes).items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    byte_tokenizer().save(str(folder / "tokenizer.json"))
    write_tensors(folder, {name: tensor.to(dtype) for name, tensor in tensors_of(config).items()}, shards=shards)
    return folder


def write_tensors(folder: Path, tensors: dict[str, Tensor], *, shards: int = 1) -> None:
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return
    names, places = sorted(tensors), {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = names[number::shards]
        save_file({name: tensors[name] for name in part}, folder / file)
        places |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def byte_tokenizer() -> Tokenizer:
    """Byte-level like Qwen2's, without merges: one token a byte, and <|endoftext|>."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocabulary | {"<|endoftext|>": len(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


@dataclass(frozen=True)
class Reference:
    """C2LLM in float64, from the files alone."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    backbone: Any
    tokenizer: Tokenizer

    @classmethod
    def of(cls, folder: Path) -> Reference:
        from transformers import Qwen2Config, Qwen2ForCausalLM

        config = json.loads((folder / "config.json").read_text())
        tensors: dict[str, Tensor] = {}
        for file in folder.glob("*.safetensors"):
            tensors |= {name: tensor.double() for name, tensor in load_file(file).items()}
        shape = {key: value for key, value in config.items() if key in Qwen2Config().to_dict() and key != "model_type"}
        shape |= {"rope_parameters": {"rope_type": "default", "rope_theta": config["rope_theta"]}, "dtype": "float64"}
        shape.pop("architectures", None)
        backbone = Qwen2ForCausalLM(Qwen2Config(**shape)).double().eval()
        own = {name.removeprefix("plm_model."): tensor for name, tensor in tensors.items() if name.startswith("plm_")}
        missing, unexpected = backbone.load_state_dict(own, strict=False)
        assert not unexpected and set(missing) <= {"lm_head.weight"}
        return cls(config, tensors, backbone, Tokenizer.from_file(str(folder / "tokenizer.json")))

    def vector(self, text: str, instruction: str) -> Tensor:
        ids = self.tokenizer.encode(instruction + text, add_special_tokens=False).ids[:2048]
        return self.of_ids(torch.tensor([ids]))[0]

    def of_ids(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vector, and the mean over the heads of the weights of all tokens."""
        with torch.inference_mode():
            states = self.backbone.model(input_ids=ids).last_hidden_state[0]
            return self._pooled(states)

    def _pooled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        p = {name.removeprefix("mha_pma."): tensor for name, tensor in self.tensors.items() if name.startswith("mha")}
        seed = p["S"][0]
        width, heads = seed.shape[1], self.config["pma_num_heads"]
        q, k, v = (
            part @ p[f"mab.fc_{n}.weight"].T + p[f"mab.fc_{n}.bias"] for n, part in (("q", seed), ("k", x), ("v", x))
        )
        parts, weights = [], []
        for head in range(heads):
            own = slice(head * width // heads, (head + 1) * width // heads)
            weight = torch.softmax(q[:, own] @ k[:, own].T / math.sqrt(width), dim=-1)
            parts.append(weight @ v[:, own])
            weights.append(weight[0])
        o = self._norm(seed + torch.cat(parts, dim=1), p, "ln0")
        o = self._norm(o + torch.relu(o @ p["mab.fc_o.weight"].T + p["mab.fc_o.bias"]), p, "ln1")[0]
        return o / o.norm(), torch.stack(weights).mean(dim=0)

    @staticmethod
    def _norm(x: Tensor, p: dict[str, Tensor], name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
        return scaled * p[f"mab.{name}.weight"] + p[f"mab.{name}.bias"]
