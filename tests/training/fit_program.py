"""One of several processes that train together: fit_program TASKS START OUT MEETING, and RANK and WORLD_SIZE in the environment."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

from retrieval.training.fit import fit
from tests.training.test_fit import SETTINGS

if __name__ == "__main__":
    torch.set_num_threads(1)
    tasks, start, out, meeting = map(Path, sys.argv[1:])
    rank, count = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE"))
    if count > 1:  # they meet in a file: a port that is free now may be taken in a moment
        torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=count)
    fit(tasks, start, out, replace(SETTINGS, hard_negatives=1, stage=replace(SETTINGS.stage, steps=10, cached=True)))
