"""The training loop of one stage: AdamW, warm-up and cosine decay, checkpoints, validation, a curve as CSV.

A run that was killed goes on from its last checkpoint and ends where an undisturbed one ends: batches depend on the step alone
(see dataset.py) and there is no dropout, so that model, optimiser and step are the whole state.
"""

from __future__ import annotations

import csv
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import C2llmError
from retrieval.model.c2llm import C2LLM
from retrieval.model.rightpadded import RightPadded
from retrieval.training.dataset import Batch, Batches, Ids, padded
from retrieval.training.loss import InfoNce

ROWS_A_GROUP = 32  # rows of like length that go through the model together

logger = logging.getLogger(__name__)


class TrainingFailed(C2llmError):
    """The loss is no number any more; the last good checkpoint is kept."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one run does. Learning rates: `rate` for weights, `embedding_rate` for the token table."""

    steps: int
    rate: float
    embedding_rate: float
    warm_up: int = 100
    final_share: float = 0.02  # of the learning rate, at the end
    weight_decay: float = 0.01
    checkpoint_seconds: float = 120.0
    validate_every: int = 500


@dataclass(frozen=True, slots=True)
class Validation:
    """Docs against bodies of held-out packages; row i of the queries belongs to row i of the passages."""

    queries: list[Ids]
    passages: list[Ids]


def train(model: C2LLM, batches: Batches, stage: Stage, folder: Path, validation: Validation | None = None) -> C2LLM:
    """Trains to the end of the stage, resuming from FOLDER/checkpoint.pt where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    loss_function = InfoNce()
    optimiser = _optimiser(model, loss_function, stage)
    step, seconds = _resume(folder, model, loss_function, optimiser)
    curve = Curve(folder / "curve.csv", step)
    started = saved = time.monotonic()
    smooth = 0.0
    while step < stage.steps:
        _set_rates(optimiser, stage, step)
        loss = _train_step(model, loss_function, optimiser, batches.batch(step))
        step += 1
        smooth = loss if not smooth else 0.95 * smooth + 0.05 * loss
        if not math.isfinite(loss):
            raise TrainingFailed(
                f"The loss is {loss} at step {step}: lower the learning rate; {folder} holds the last good state."
            )
        elapsed = seconds + time.monotonic() - started
        if step % stage.validate_every == 0 or step == stage.steps:
            mrr = mean_reciprocal_rank(model, validation) if validation else float("nan")
            curve.add(step=step, seconds=round(elapsed), loss=round(smooth, 4), mrr=round(mrr, 4))
            logger.info("step %d/%d  loss %.3f  MRR %.4f  %d s", step, stage.steps, smooth, mrr, elapsed)
        if time.monotonic() - saved > stage.checkpoint_seconds or step == stage.steps:
            _checkpoint(folder, model, loss_function, optimiser, step, elapsed)
            saved = time.monotonic()
    return model.eval()


def _optimiser(model: C2LLM, loss_function: InfoNce, stage: Stage) -> torch.optim.AdamW:
    table = [model.plm_model.model.embed_tokens.weight]
    rest = [p for name, p in model.named_parameters() if "embed_tokens" not in name]
    matrices, vectors = [p for p in rest if p.dim() > 1], [p for p in rest if p.dim() <= 1]
    groups: list[dict[str, Any]] = [
        {"params": table, "rate": stage.embedding_rate, "weight_decay": 0.0},
        {"params": matrices, "rate": stage.rate, "weight_decay": stage.weight_decay},
        {"params": [*vectors, *loss_function.parameters()], "rate": stage.rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.rate, betas=(0.9, 0.98), eps=1e-8, fused=True)


def _set_rates(optimiser: torch.optim.AdamW, stage: Stage, step: int) -> None:
    if step < stage.warm_up:
        share = (step + 1) / stage.warm_up
    else:
        progress = (step - stage.warm_up) / max(stage.steps - stage.warm_up, 1)
        share = stage.final_share + (1 - stage.final_share) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * share


def _train_step(model: C2LLM, loss_function: InfoNce, optimiser: torch.optim.AdamW, batch: Batch) -> float:
    forward = RightPadded(model.train())
    queries = _vectors(forward, batch.query_ids, batch.query_mask)
    passages = _vectors(forward, batch.passage_ids, batch.passage_mask)
    loss = loss_function(queries, passages)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if torch.isfinite(loss):
        optimiser.step()
    return float(loss.detach())


def _vectors(forward: RightPadded, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> torch.Tensor:
    """The rows' vectors, computed in groups of like length: half of a batch of queries would be padding otherwise."""
    lengths = mask.sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    parts = []
    for start in range(0, len(order), ROWS_A_GROUP):
        rows = order[start : start + ROWS_A_GROUP]
        width = int(lengths[rows].max())
        parts.append(forward(torch.from_numpy(ids[rows, :width]), torch.from_numpy(mask[rows, :width]))[0])
    return torch.cat(parts)[torch.from_numpy(np.argsort(order))]


def encode(model: C2LLM, rows: list[Ids], *, at_once: int = 128) -> NDArray[np.float32]:
    """Vectors of token rows, in their order; rows of like length share a batch."""
    vectors = np.zeros((len(rows), model.config.dimension), dtype=np.float32)
    order = np.argsort([len(row) for row in rows], kind="stable")
    forward = RightPadded(model.eval())
    with torch.inference_mode():
        for start in range(0, len(rows), at_once):
            chosen = order[start : start + at_once]
            ids, mask = padded([rows[i] for i in chosen])
            vectors[chosen] = forward(torch.from_numpy(ids), torch.from_numpy(mask))[0].numpy()
    return vectors


def mean_reciprocal_rank(model: C2LLM, validation: Validation) -> float:
    queries, passages = encode(model, validation.queries), encode(model, validation.passages)
    scores = queries @ passages.T
    own = scores[np.arange(len(queries)), np.arange(len(queries))]
    return float((1.0 / (1 + (scores > own[:, None]).sum(axis=1))).mean())


class Curve:
    """Rows appended as they come; rows after the step that a run resumes from are dropped."""

    FIELDS = ("step", "seconds", "loss", "mrr")

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="") as handle:
                rows = [row for row in csv.DictReader(handle) if int(row["step"]) <= step]
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, self.FIELDS)
            writer.writeheader()
            writer.writerows(rows)

    def add(self, **row: float) -> None:
        with self._path.open("a", newline="") as handle:
            csv.DictWriter(handle, self.FIELDS).writerow(row)


def _checkpoint(
    folder: Path, model: C2LLM, loss: InfoNce, optimiser: torch.optim.AdamW, step: int, seconds: float
) -> None:
    state = {
        "model": model.state_dict(),
        "loss": loss.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    temporary = folder / "checkpoint.part"
    torch.save(state, temporary)
    temporary.replace(folder / "checkpoint.pt")


def _resume(folder: Path, model: C2LLM, loss: InfoNce, optimiser: torch.optim.AdamW) -> tuple[int, float]:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    loss.load_state_dict(state["loss"])
    rates = [group["rate"] for group in optimiser.param_groups]
    optimiser.load_state_dict(state["optimiser"])
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["rate"] = rate
    logger.info("going on at step %d", state["step"])
    return int(state["step"]), float(state["seconds"])
