"""A C2LLM of some thousand weights that reads the made repository's words, and a checkpoint's folder of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from retrieval.model.c2llm import C2LLM
from retrieval.model.config import C2LLMConfig
from retrieval.training.tokenizer import blank_tokenizer
from tests.finetune.repository import FIRST, SECOND

_WORDS = "the of that is wanted here gives make size limit in for range if sum return total pkg part py def".split()


@cache
def tokenizer() -> Tokenizer:
    blank = blank_tokenizer()
    words = ["[PAD]", "[UNK]", *_WORDS, *FIRST, *SECOND]
    blank.model = WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    return blank


def config(layers: int = 0) -> C2LLMConfig:
    return C2LLMConfig(
        hidden_size=64, num_hidden_layers=layers, num_attention_heads=2, num_key_value_heads=1, intermediate_size=24,
        vocab_size=80, max_position_embeddings=64, compressed_dim=64, pma_num_heads=2, padding_side="right", dtype="float32",
        query_instruction="", document_instruction="", max_query_tokens=24, max_passage_tokens=64,
    )  # fmt: skip


def made(layers: int, *, shared: float = 0.0) -> C2LLM:
    """`shared`: how large a part is that all vectors have in common."""
    torch.manual_seed(5)
    model = C2LLM(config(layers)).eval()
    with torch.no_grad():
        model.mha_pma.mab.ln1.bias.add_(shared * torch.randn(64))
    return model


def checkpoint(folder: Path, *, shared: float = 0.0) -> Path:
    made(0, shared=shared).save(folder)
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def exportable(side: str, layers: int = 2) -> C2LLM:
    """Layers, and matrices so large that the exporter does not compute with them. No two vectors are equal, as in any trained
    model: the exporter makes one of those that are."""
    torch.manual_seed(5)
    wide = replace(config(layers), hidden_size=128, compressed_dim=128, intermediate_size=72)
    model = C2LLM(replace(wide, padding_side=side))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
            elif parameter.dim() == 1:
                parameter.uniform_(0.5, 1.5)
    return model.eval()
