"""Loads the encoder of a model folder: an export on onnxruntime, a checkpoint on torch."""

from __future__ import annotations

from pathlib import Path

from retrieval.encoders.protocol import Encoder
from retrieval.errors import MissingExtraError, ModelError
from retrieval.model.checkpoint import WEIGHTS_NAME, is_checkpoint
from retrieval.model.checkpoint_names import is_hub_name
from retrieval.model.config import C2LLMConfig
from retrieval.model.graph_files import MODEL_NAME


def load_folder(
    folder: Path, *, name: str = "", threads: int | None = None, device: str = "auto", dtype: str = "auto"
) -> Encoder:
    """If a folder contains both, as after training, the export is used: it needs no torch and loads faster.

    Raises ModelError that says what the folder is instead, MissingExtraError where torch is not installed.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no folder {folder}.")
    C2LLMConfig.load(folder)  # report another architecture before a missing file
    exported, checkpoint = (folder / MODEL_NAME).is_file(), is_checkpoint(folder)
    if not exported and not checkpoint:
        raise ModelError(
            f"There is neither {MODEL_NAME}, an exported model, nor {WEIGHTS_NAME}, a checkpoint, in {folder}: it holds no model, "
            "or not all of it yet."
        )
    if not exported and checkpoint:
        from retrieval.encoders.torch_encoder import TorchEncoder

        return TorchEncoder(folder, name=name, threads=threads, device=device, dtype=dtype)
    from retrieval.encoders.onnx import OnnxEncoder

    return OnnxEncoder(folder, name=name, threads=threads, device=device)


def resolve_folder(name: str) -> Path:
    """The folder of a name: a downloaded checkpoint of the hub, else the folder itself.

    The hub's takes precedence: a workspace must not override it with a folder of that name.
    """
    if is_hub_name(name):
        from retrieval.model.hub import cached

        try:
            return cached(name)
        except (ModelError, MissingExtraError):
            if not Path(name).is_dir():
                raise
    return Path(name).expanduser()
