"""The tensors of a checkpoint: names and shapes, as in the published safetensors files. Does not need torch.

With it a checkpoint that does not match is rejected by its headers, before any memory is allocated.
"""

from __future__ import annotations

from math import prod

from retrieval.model.config import C2LLMConfig

BACKBONE, POOLING = "plm_model.model.", "mha_pma."
LM_HEAD = "plm_model.lm_head.weight"  # unused here, so it may be missing even if it is not tied
# Buffers that earlier versions of transformers saved.
LEGACY_BUFFER = "rotary_emb.inv_freq"

Shape = tuple[int, ...]


def tensors(config: C2LLMConfig) -> dict[str, Shape]:
    """Name and shape of every tensor that the model uses, in the order of the computation."""
    width, head = config.hidden_size, config.hidden_size // config.num_attention_heads
    shapes: dict[str, Shape] = {f"{BACKBONE}embed_tokens.weight": (config.vocab_size, width)}
    for layer in range(config.num_hidden_layers):
        shapes |= {f"{BACKBONE}layers.{layer}.{name}": shape for name, shape in _layer(config, width, head).items()}
    shapes[f"{BACKBONE}norm.weight"] = (width,)
    return shapes | (_pma(config) if config.embedding_method == "pma" else {})


def stored_tensors(config: C2LLMConfig) -> dict[str, Shape]:
    """All tensors of a checkpoint: with the language-model head unless it is tied."""
    return tensors(config) | ({} if config.tie_word_embeddings else {LM_HEAD: head_shape(config)})


def head_shape(config: C2LLMConfig) -> Shape:
    return (config.vocab_size, config.hidden_size)


def parameters(shapes: dict[str, Shape]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _layer(config: C2LLMConfig, width: int, head: int) -> dict[str, Shape]:
    kv_width, mlp_width = config.num_key_value_heads * head, config.intermediate_size
    return {
        "input_layernorm.weight": (width,),
        "self_attn.q_proj.weight": (width, width),
        "self_attn.q_proj.bias": (width,),
        "self_attn.k_proj.weight": (kv_width, width),
        "self_attn.k_proj.bias": (kv_width,),
        "self_attn.v_proj.weight": (kv_width, width),
        "self_attn.v_proj.bias": (kv_width,),
        "self_attn.o_proj.weight": (width, width),
        "post_attention_layernorm.weight": (width,),
        "mlp.gate_proj.weight": (mlp_width, width),
        "mlp.up_proj.weight": (mlp_width, width),
        "mlp.down_proj.weight": (width, mlp_width),
    }


def _pma(config: C2LLMConfig) -> dict[str, Shape]:
    own, width = config.compressed_dim, config.hidden_size
    shapes: dict[str, Shape] = {f"{POOLING}S": (1, 1, own)}
    for name, inputs in (("fc_q", own), ("fc_k", width), ("fc_v", width), ("fc_o", own)):
        shapes |= {f"{POOLING}mab.{name}.weight": (own, inputs), f"{POOLING}mab.{name}.bias": (own,)}
    for name in ("ln0", "ln1") if config.pma_ln else ():
        shapes |= {f"{POOLING}mab.{name}.weight": (own,), f"{POOLING}mab.{name}.bias": (own,)}
    return shapes
