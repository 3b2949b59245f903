"""Several processes or GPUs that train one model, through accelerate: `accelerate launch -m c2llm_lsp train …`.

Each process reads its share of a batch's rows; vectors are summed over the processes, so that every query meets the passages
of all, and so are gradients. The result is that of one process with the same batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import MissingExtraError


class Alone:
    """One process: all rows are its own."""

    rank, count = 0, 1

    @property
    def first(self) -> bool:
        """True in the one process that writes and says things."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def own(self, rows: int) -> NDArray[np.int64]:
        return np.arange(self.rank, rows, self.count)

    def summed(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self.summed(parameter.grad)

    def wait(self) -> None:
        """Until all have come here."""


class Several(Alone):
    """One of several processes that a launcher started."""

    def __init__(self) -> None:
        try:
            from accelerate import Accelerator  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise MissingExtraError("Training in several processes", "train") from error
        self._accelerator: Any = Accelerator(cpu=not torch.cuda.is_available())
        self.rank, self.count = self._accelerator.process_index, self._accelerator.num_processes

    @property
    def device(self) -> torch.device:
        found: torch.device = self._accelerator.device
        return found

    def summed(self, tensor: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._accelerator.reduce(tensor, reduction="sum")
        return found

    def wait(self) -> None:
        self._accelerator.wait_for_everyone()


def processes_here() -> Alone:
    """Launchers tell in the environment how many there are."""
    return Several() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
