"""What a fine-tuning run is given: its options, the model that it begins with, and who watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.finetune.weights_io import Way

if TYPE_CHECKING:
    from retrieval.encoders import Encoder

Progress = Callable[[str, int, int], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Control:
    """Progress reports and cancellation of a run."""

    progress: Progress
    stop: Stop


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """The options of a run; minutes and steps are of training, 0 leaves the choice of steps to the recipe."""

    minutes: float = 5.0
    steps: int = 0
    way: Way = "query"
    seed: int = 1
    dry: bool = False  # collect and evaluate only


@dataclass(frozen=True, slots=True)
class Start:
    """The encoder that is adapted: its name in the settings, the folder of its files, and itself; and the one that is `used` now,
    which may have been adapted before."""

    name: str
    folder: Path
    encoder: Encoder
    used: Encoder
    load: Callable[[Path], Encoder]  # for a finished model, as the settings say
