"""The configuration of a C2LLM model (config.json): architecture, and how its input text is built.

The keys are those of the published checkpoints; the ones at the end are ours and default to the published behaviour. Configurations
of the earlier CodeFuse-CGE models are read too, with two keys under their old names. Settings that this program does not implement
(another activation, RoPE scaling, sliding windows) are rejected: slightly wrong vectors are worse than none.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from retrieval.bounded_files import read_json
from retrieval.errors import ModelError

CONFIG_NAME = "config.json"
MAX_JSON_BYTES = 32 * 1024 * 1024  # the index of a checkpoint with 100,000 tensors has 10 MB
MODEL_TYPE = "c2llm"
LEGACY_TYPE_PREFIX = (
    "codefuse_cge"  # prefix of the model types and architectures of earlier models, ignoring underscores
)
LEGACY_KEYS = {"compress_dim": "compressed_dim", "torch_dtype": "dtype"}
EMBEDDING_METHODS = ("pma", "mean", "eos")


@dataclass(frozen=True, slots=True)
class C2LLMConfig:
    hidden_size: int = 896
    num_hidden_layers: int = 24  # 0: token embeddings and pooling alone
    num_attention_heads: int = 14
    num_key_value_heads: int = 2
    intermediate_size: int = 4864
    vocab_size: int = 151936
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 32768
    tie_word_embeddings: bool = True
    compressed_dim: int = 896  # width of PMA, and so the embedding dimension
    pma_num_heads: int = 32
    pma_ln: bool = True
    pma_norm: bool = False
    pma_norm_mode: str = "post_normal"
    padding_side: str = "left"
    embedding_method: str = "pma"
    dtype: str = "bfloat16"
    # Ours:
    query_instruction: str = "Retrieve the code that solves the following query:\n"
    document_instruction: str = "Retrieved Answer:"
    max_query_tokens: int = 2048
    max_passage_tokens: int = 2048

    def __post_init__(self) -> None:
        if self.embedding_method not in EMBEDDING_METHODS:
            known = ", ".join(EMBEDDING_METHODS)
            raise ModelError(f"The model's embedding_method is '{self.embedding_method}'; known are {known}.")
        if self.pma_norm or self.pma_norm_mode != "post_normal":
            raise ModelError("The model uses a PMA normalisation other than post_normal, which is not supported.")
        pairs = (
            (self.compressed_dim, self.pma_num_heads),
            (self.hidden_size, self.num_attention_heads),
            (self.num_attention_heads, self.num_key_value_heads),
        )
        if any(heads < 1 or width % heads for width, heads in pairs):
            raise ModelError(
                "The model's widths are not multiples of its numbers of heads: its config.json is damaged."
            )

    @property
    def dimension(self) -> int:
        """The embedding dimension: PMA projects to its own width, the other poolings keep the backbone's."""
        return self.compressed_dim if self.embedding_method == "pma" else self.hidden_size

    def to_dict(self) -> dict[str, Any]:
        return {"model_type": MODEL_TYPE, "architectures": ["C2LLMForEmbedding"], **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> C2LLMConfig:
        """Unknown keys are ignored; `compress_dim` and `torch_dtype` are earlier names of two keys."""
        _check_architecture(values)
        renamed = {LEGACY_KEYS.get(key, key): value for key, value in values.items()}
        rope = renamed.get("rope_parameters") or {}  # transformers 5 stores it here
        renamed.setdefault("rope_theta", rope.get("rope_theta"))
        known = {field.name: field.default for field in fields(cls)}
        given = {key: value for key, value in renamed.items() if key in known and value is not None}
        for key, value in given.items():
            if not _has_type_of(value, known[key]):
                raise ModelError(f"The model's {CONFIG_NAME} says {key} = {value!r}: it is damaged.")
        return cls(**given)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_NAME).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> C2LLMConfig:
        path = folder / CONFIG_NAME
        try:
            values = read_json(path, MAX_JSON_BYTES)
            return cls.from_dict(values)
        except FileNotFoundError as error:
            raise ModelError(f"There is no {CONFIG_NAME} in {folder}: it holds no model.") from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} cannot be read as a model's configuration ({error}).") from error


def _has_type_of(value: object, default: object) -> bool:
    """Whether a value has the type of its default; numbers must not be negative, and an int is accepted for a float."""
    if isinstance(default, (bool, str)) or isinstance(value, bool):
        return type(value) is type(default)
    types = (int,) if isinstance(default, int) else (int, float)
    return isinstance(value, types) and value >= 0


def _check_architecture(values: dict[str, Any]) -> None:
    """Raises ModelError for another architecture, or for options that are not implemented here."""
    architecture = next(iter(values.get("architectures") or [""]), "")
    kind = values.get("model_type", MODEL_TYPE)
    is_legacy = architecture.lower().replace("_", "").startswith(LEGACY_TYPE_PREFIX.replace("_", ""))
    if kind != MODEL_TYPE and not is_legacy and not str(kind).lower().startswith(LEGACY_TYPE_PREFIX):
        named = f" ({architecture})" if architecture else ""
        raise ModelError(
            f"The model's type is '{kind}'{named}, expected '{MODEL_TYPE}': use a C2LLM checkpoint, such as "
            "codefuse-ai/C2LLM-0.5B."
        )
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    rope_type = rope.get("rope_type", rope.get("type", "default"))
    for option, unsupported in (
        (f"the activation '{values.get('hidden_act')}'", values.get("hidden_act", "silu") != "silu"),
        (f"RoPE scaling '{rope_type}'", rope_type != "default"),
        ("a sliding window", bool(values.get("use_sliding_window"))),
    ):
        if unsupported:
            raise ModelError(f"The model uses {option}, which is not supported: its vectors would be wrong.")


C2LLM_0_5B = C2LLMConfig()
C2LLM_7B = C2LLMConfig(
    hidden_size=3584,
    num_hidden_layers=28,
    num_attention_heads=28,
    num_key_value_heads=4,
    intermediate_size=18944,
    vocab_size=152064,
    tie_word_embeddings=False,
    compressed_dim=3584,
)
# 128 tokens are about 700 characters of code.
EMBEDDED = C2LLMConfig(
    hidden_size=256,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=512,
    vocab_size=32000,
    rope_theta=1e4,
    max_position_embeddings=512,
    compressed_dim=256,
    pma_num_heads=8,
    padding_side="right",
    dtype="float32",
    max_query_tokens=64,
    max_passage_tokens=128,
)


def with_layers(config: C2LLMConfig, layers: int) -> C2LLMConfig:
    return replace(config, num_hidden_layers=layers)
