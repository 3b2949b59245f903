"""The causal language model below the pooling: transformers' Qwen2, with causal attention."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from retrieval.errors import MissingExtraError
from retrieval.model.config import C2LLMConfig


def qwen2_config(config: C2LLMConfig) -> Any:
    try:
        from transformers import Qwen2Config
    except ImportError as error:
        raise MissingExtraError("A C2LLM model in torch", "train") from error

    return Qwen2Config(
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        intermediate_size=config.intermediate_size,
        vocab_size=config.vocab_size,
        rms_norm_eps=config.rms_norm_eps,
        max_position_embeddings=config.max_position_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=config.tie_word_embeddings,
        use_cache=False,
    )


class Backbone(nn.Module):
    """`model` and `lm_head`, named as in the checkpoints. The head is never used; it exists unless tied to the embeddings."""

    def __init__(self, config: C2LLMConfig) -> None:
        super().__init__()
        qwen2 = qwen2_config(config)
        from transformers import Qwen2Model

        self.model = Qwen2Model(qwen2)
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states after the final norm. Position ids count real tokens, so that left padding changes nothing."""
        positions = (mask.long().cumsum(dim=1) - 1).clamp(min=0)
        output = self.model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False)
        states: Tensor = output.last_hidden_state
        return states
