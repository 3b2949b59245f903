"""LoRA adapters on the backbone, whose own weights are frozen.

The pooling is trained in full, as in the report. Afterwards the adapters are merged, so that a plain C2LLM is saved.
"""

from __future__ import annotations

from typing import Any

from retrieval.errors import MissingExtraError
from retrieval.model.c2llm import C2LLM

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SCALE = 2  # alpha / rank, the usual choice


def add_adapters(model: C2LLM, rank: int) -> C2LLM:
    """Add LoRA adapters in place and freeze all but adapters and pooling. New adapters change no output."""
    try:
        from peft import LoraConfig, inject_adapter_in_model  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise MissingExtraError("LoRA", "train") from error

    for parameter in model.parameters():
        parameter.requires_grad_(False)
    inject_adapter_in_model(
        LoraConfig(r=rank, lora_alpha=SCALE * rank, target_modules=list(TARGETS)), model.plm_model.model
    )
    for parameter in model.mha_pma.parameters():
        parameter.requires_grad_(True)
    return model


def merge_adapters(model: C2LLM) -> C2LLM:
    """Merge the adapters into the weights, in place."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "base_layer") and hasattr(child, "merge"):
                adapted: Any = child
                adapted.merge()
                setattr(parent, name, adapted.base_layer)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model
