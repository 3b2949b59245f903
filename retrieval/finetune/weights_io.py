"""Load trainable weights from a model folder, and save them in the same format: an ONNX graph or a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from retrieval.model.c2llm import C2LLM

Way = Literal["query", "pma", "lora", "all"]


def load_trainable(folder: Path) -> C2LLM:
    """The weights of a checkpoint, else those that an exported graph computes with."""
    from retrieval.model.c2llm import C2LLM
    from retrieval.model.checkpoint import is_checkpoint

    if is_checkpoint(folder):
        return C2LLM.load(folder)
    from retrieval.model.import_onnx import load_from_onnx

    return load_from_onnx(folder)


def save_like(model: C2LLM, like: Path, out: Path) -> Path:
    """The model in the form that the one it came from has: a graph, or a checkpoint."""
    from retrieval.model.export import TOKENIZER_NAME, export
    from retrieval.model.graph_files import MODEL_NAME

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    model = model.cpu().eval()
    if (like / MODEL_NAME).is_file():
        export(model, like / TOKENIZER_NAME, out)
    else:
        model.save(out)
        shutil.copyfile(like / TOKENIZER_NAME, out / TOKENIZER_NAME)
    return out
