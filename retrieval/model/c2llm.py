"""The whole model: backbone, pooling, normalization. Parameter names are those of the published safetensors files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from retrieval.model.backbone import Backbone
from retrieval.model.checkpoint import WEIGHTS_NAME, open_checkpoint
from retrieval.model.config import C2LLMConfig
from retrieval.model.pooling import make_pooling


class C2LLM(nn.Module):
    def __init__(self, config: C2LLMConfig) -> None:
        super().__init__()
        self.config = config
        self.plm_model = Backbone(config)
        self.mha_pma = make_pooling(config)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length) token ids and mask -> unit vectors (batch, dimension), attention (batch, length)."""
        states = self.plm_model(ids, mask).float()  # pooling in float32: it determines the vector and is cheap
        vectors, attention = self.mha_pma(states, mask)
        return nn.functional.normalize(vectors, dim=-1), attention

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        self.config.save(folder)
        save_file({name: tensor.contiguous() for name, tensor in self.state_dict().items()}, folder / WEIGHTS_NAME)

    @classmethod
    def load(cls, folder: Path) -> C2LLM:
        """Load any checkpoint, in float32. Raises ModelError."""
        checkpoint = open_checkpoint(folder)
        model = cls(checkpoint.config)
        checkpoint.copy_into(model.state_dict())
        return model.eval()


def parameter_count(config: C2LLMConfig) -> int:
    """Counted on the meta device, which allocates no memory."""
    with torch.device("meta"):
        model = C2LLM(config)
    return sum(parameter.numel() for parameter in model.parameters())
