"""The tensors of a checkpoint: their names and shapes, as the published safetensors files have them. No torch is needed to know.

A model is refused by its files' headers, before any memory is taken for it.
"""

from __future__ import annotations

from math import prod

from retrieval.model.config import C2LLMConfig

BACKBONE, POOLING = "plm_model.model.", "mha_pma."
HEAD = "plm_model.lm_head.weight"  # of the language model; nothing here uses it, so it may be missing even where it is not tied
# Constants that earlier versions of transformers saved along.
DERIVED = "rotary_emb.inv_freq"

Shape = tuple[int, ...]


def tensors(config: C2LLMConfig) -> dict[str, Shape]:
    """Name and shape of every tensor that the model computes with, in the order of the computation."""
    width, head = config.hidden_size, config.hidden_size // config.num_attention_heads
    found: dict[str, Shape] = {f"{BACKBONE}embed_tokens.weight": (config.vocab_size, width)}
    for layer in range(config.num_hidden_layers):
        found |= {f"{BACKBONE}layers.{layer}.{name}": shape for name, shape in _layer(config, width, head).items()}
    found[f"{BACKBONE}norm.weight"] = (width,)
    return found | (_pma(config) if config.embedding_method == "pma" else {})


def stored_tensors(config: C2LLMConfig) -> dict[str, Shape]:
    """The same with the head of the language model, where it is a tensor of its own."""
    return tensors(config) | ({} if config.tie_word_embeddings else {HEAD: head_shape(config)})


def head_shape(config: C2LLMConfig) -> Shape:
    return (config.vocab_size, config.hidden_size)


def parameters(shapes: dict[str, Shape]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _layer(config: C2LLMConfig, width: int, head: int) -> dict[str, Shape]:
    shared, inner = config.num_key_value_heads * head, config.intermediate_size
    return {
        "input_layernorm.weight": (width,),
        "self_attn.q_proj.weight": (width, width),
        "self_attn.q_proj.bias": (width,),
        "self_attn.k_proj.weight": (shared, width),
        "self_attn.k_proj.bias": (shared,),
        "self_attn.v_proj.weight": (shared, width),
        "self_attn.v_proj.bias": (shared,),
        "self_attn.o_proj.weight": (width, width),
        "post_attention_layernorm.weight": (width,),
        "mlp.gate_proj.weight": (inner, width),
        "mlp.up_proj.weight": (inner, width),
        "mlp.down_proj.weight": (width, inner),
    }


def _pma(config: C2LLMConfig) -> dict[str, Shape]:
    own, width = config.compressed_dim, config.hidden_size
    found: dict[str, Shape] = {f"{POOLING}S": (1, 1, own)}
    for name, inputs in (("fc_q", own), ("fc_k", width), ("fc_v", width), ("fc_o", own)):
        found |= {f"{POOLING}mab.{name}.weight": (own, inputs), f"{POOLING}mab.{name}.bias": (own,)}
    for name in ("ln0", "ln1") if config.pma_ln else ():
        found |= {f"{POOLING}mab.{name}.weight": (own,), f"{POOLING}mab.{name}.bias": (own,)}
    return found
