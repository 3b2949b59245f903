"""The shape of a C2LLM model and the text it reads, as its config.json says them.

The keys are those of the published checkpoints; the ones at the end are ours and default to the published behaviour. Configurations
of the earlier CodeFuse-CGE models are read as well, with their own names of two keys. What the file says and this program does not
compute (another activation, stretched positions, a window) is refused: vectors that are a little wrong are worse than none.
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
OLDER_TYPES = "codefuse_cge"  # how the types and architectures of the earlier models begin, underscores aside
OLDER_KEYS = {"compress_dim": "compressed_dim", "torch_dtype": "dtype"}
EMBEDDING_METHODS = ("pma", "mean", "eos")


@dataclass(frozen=True, slots=True)
class C2LLMConfig:
    hidden_size: int = 896
    num_hidden_layers: int = 24  # 0 is a model of token embeddings and pooling alone
    num_attention_heads: int = 14
    num_key_value_heads: int = 2
    intermediate_size: int = 4864
    vocab_size: int = 151936
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 32768
    tie_word_embeddings: bool = True
    compressed_dim: int = 896  # width of PMA and so of the embedding
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
        """Width of the vectors: PMA sets its own, the other poolings keep the backbone's."""
        return self.compressed_dim if self.embedding_method == "pma" else self.hidden_size

    def to_dict(self) -> dict[str, Any]:
        return {"model_type": MODEL_TYPE, "architectures": ["C2LLMForEmbedding"], **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> C2LLMConfig:
        """Unknown keys are ignored; `compress_dim` and `torch_dtype` are earlier names of two keys."""
        _refuse_other_kinds(values)
        renamed = {OLDER_KEYS.get(key, key): value for key, value in values.items()}
        rope = renamed.get("rope_parameters") or {}  # where transformers 5 keeps it
        renamed.setdefault("rope_theta", rope.get("rope_theta"))
        known = {field.name: field.default for field in fields(cls)}
        given = {key: value for key, value in renamed.items() if key in known and value is not None}
        for key, value in given.items():
            if not _fits(value, known[key]):
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


def _fits(value: object, default: object) -> bool:
    """Whether a value is of the kind of its default; numbers are not negative, a whole one does for a fraction."""
    if isinstance(default, (bool, str)) or isinstance(value, bool):
        return type(value) is type(default)
    kinds = (int,) if isinstance(default, int) else (int, float)
    return isinstance(value, kinds) and value >= 0


def _refuse_other_kinds(values: dict[str, Any]) -> None:
    """Raises ModelError for a model of another architecture, or one of ours that computes what we do not."""
    architecture = next(iter(values.get("architectures") or [""]), "")
    kind = values.get("model_type", MODEL_TYPE)
    older = architecture.lower().replace("_", "").startswith(OLDER_TYPES.replace("_", ""))
    if kind != MODEL_TYPE and not older and not str(kind).lower().startswith(OLDER_TYPES):
        named = f" ({architecture})" if architecture else ""
        raise ModelError(
            f"The model's type is '{kind}'{named}, expected '{MODEL_TYPE}': use a C2LLM checkpoint, such as "
            "codefuse-ai/C2LLM-0.5B."
        )
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    stretched = rope.get("rope_type", rope.get("type", "default"))
    for text, other in (
        (f"the activation '{values.get('hidden_act')}'", values.get("hidden_act", "silu") != "silu"),
        (f"positions of the kind '{stretched}'", stretched != "default"),
        ("a sliding window", bool(values.get("use_sliding_window"))),
    ):
        if other:
            raise ModelError(f"The model uses {text}, which is not supported: its vectors would be wrong.")


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
