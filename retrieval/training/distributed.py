"""Several processes or GPUs that train one model, through accelerate: `accelerate launch -m c2llm_lsp train …`.

Each process computes a shard of a batch; vectors and gradients are all-reduced (summed), so that every query is compared with the
passages of all processes. The result is that of one process with the same batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import MissingExtraError


class SingleProcess:
    """Training in one process: its shard is the whole batch."""

    rank, count = 0, 1

    @property
    def is_main(self) -> bool:
        """True in the process that writes files and logs."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def shard(self, rows: int) -> NDArray[np.int64]:
        return np.arange(self.rank, rows, self.count)

    def all_reduce(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self.all_reduce(parameter.grad)

    def barrier(self) -> None:
        """Wait for all processes."""


class MultiProcess(SingleProcess):
    """One of several processes started by a launcher."""

    def __init__(self) -> None:
        try:
            from accelerate import Accelerator  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise MissingExtraError("Training in several processes", "train") from error
        self._accelerator: Any = Accelerator(cpu=not torch.cuda.is_available())
        self.rank, self.count = self._accelerator.process_index, self._accelerator.num_processes

    @property
    def device(self) -> torch.device:
        device: torch.device = self._accelerator.device
        return device

    def all_reduce(self, tensor: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self._accelerator.reduce(tensor, reduction="sum")
        return total

    def barrier(self) -> None:
        self._accelerator.wait_for_everyone()


def current_processes() -> SingleProcess:
    """Launchers set WORLD_SIZE."""
    return MultiProcess() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else SingleProcess()
