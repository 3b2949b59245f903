"""The training loop of one stage: AdamW, warm-up and cosine decay, checkpoints, validation, a curve as CSV.

A run that was killed goes on from its last checkpoint and ends where an undisturbed one ends: batches depend on the step alone
(see batches.py) and there is no dropout in the model, so that model, optimiser and step are the whole state.
"""

from __future__ import annotations

import csv
import logging
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.errors import C2llmError
from retrieval.model.c2llm import C2LLM
from retrieval.model.rightpadded import RightPadded
from retrieval.training.batches import Batch, Batches
from retrieval.training.dataset import Ids, padded
from retrieval.training.loss import InfoNce

CHECKPOINT_NAME = "checkpoint.pt"
ROWS_A_GROUP = 32  # rows of like length that go through the model together

logger = logging.getLogger(__name__)


class TrainingFailed(C2llmError):
    """The loss is no number any more; the last good checkpoint is kept."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one run does. Learning rates: `rate` for weights, `embedding_rate` for the token table.

    Rates rise over `warm_up` steps, stay, and fall along a cosine over the last `decay` (share) of the steps. Until they fall a
    run does not depend on `steps`: the length can be settled while it runs.
    """

    steps: int
    rate: float
    embedding_rate: float
    warm_up: int = 100
    decay: float = 1.0
    final_share: float = 0.02  # of the learning rate, at the end
    weight_decay: float = 0.01
    averaged: float = 0.0  # decay a step of a running average of the weights, which is the result then; 0 = none
    checkpoint_seconds: float = 120.0
    validate_every: int = 500

    def share(self, step: int) -> float:
        """Of the learning rates."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        start = max(self.warm_up, round(self.steps * (1 - self.decay)))
        if step < start:
            return 1.0
        progress = (step - start) / max(self.steps - start, 1)
        return self.final_share + (1 - self.final_share) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


@dataclass(frozen=True, slots=True)
class Validation:
    """Docs against bodies of held-out packages; row i of the queries belongs to row i of the passages."""

    queries: list[Ids]
    passages: list[Ids]


@dataclass(slots=True)
class Run:
    """All that changes while training, and so all that a checkpoint holds."""

    model: C2LLM
    loss: InfoNce
    optimiser: torch.optim.AdamW
    average: C2LLM | None
    step: int = 0
    seconds: float = 0.0
    smooth: float = 0.0  # running mean of the loss

    @property
    def result(self) -> C2LLM:
        return self.average or self.model

    def save(self, folder: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "loss": self.loss.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "step": self.step,
            "seconds": self.seconds,
            "smooth": self.smooth,
        }
        temporary = folder / "checkpoint.part"
        torch.save(state, temporary)
        temporary.replace(folder / CHECKPOINT_NAME)

    def resume(self, folder: Path) -> None:
        """Goes back to the state of FOLDER/checkpoint.pt, where there is one; learning rates stay those of the stage."""
        path = folder / CHECKPOINT_NAME
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.loss.load_state_dict(state["loss"])
        rates = [group["rate"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["rate"] = rate
        if self.average is not None:
            self.average.load_state_dict(state["average"] or state["model"])
        self.step, self.seconds, self.smooth = int(state["step"]), float(state["seconds"]), float(state["smooth"])
        logger.info("going on at step %d", self.step)


def train(model: C2LLM, batches: Batches, stage: Stage, folder: Path, validation: Validation | None = None) -> C2LLM:
    """Trains to the end of the stage, resuming from FOLDER/checkpoint.pt where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    loss_function = InfoNce()
    run = Run(
        model, loss_function, _optimiser(model, loss_function, stage), deepcopy(model) if stage.averaged else None
    )
    run.resume(folder)
    curve = Curve(folder / "curve.csv", run.step)
    saved = time.monotonic()
    started = saved - run.seconds
    while run.step < stage.steps:
        _set_rates(run.optimiser, stage, run.step)
        loss = _train_step(run, batches.batch(run.step), stage)
        run.step += 1
        run.smooth = loss if not run.smooth else 0.95 * run.smooth + 0.05 * loss
        if not math.isfinite(loss):
            raise TrainingFailed(
                f"The loss is {loss} at step {run.step}: lower the learning rate; {folder} holds the last good state."
            )
        run.seconds = time.monotonic() - started
        if run.step % stage.validate_every == 0 or run.step == stage.steps:
            mrr = mean_reciprocal_rank(run.result, validation) if validation else float("nan")
            curve.add(step=run.step, seconds=round(run.seconds), loss=round(run.smooth, 4), mrr=round(mrr, 4))
            logger.info("step %d/%d  loss %.3f  MRR %.4f  %d s", run.step, stage.steps, run.smooth, mrr, run.seconds)
        if time.monotonic() - saved > stage.checkpoint_seconds or run.step == stage.steps:
            run.save(folder)
            saved = time.monotonic()
    return run.result.eval()


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
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * stage.share(step)


def _train_step(run: Run, batch: Batch, stage: Stage) -> float:
    forward = RightPadded(run.model.train())
    table = _Table(forward, batch)
    queries = _vectors(forward, table, batch.query_ids, batch.query_mask)
    passages = _vectors(forward, table, batch.passage_ids, batch.passage_mask)
    loss = run.loss(queries, passages, None if batch.ignored is None else torch.from_numpy(batch.ignored))
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    if torch.isfinite(loss):
        run.optimiser.step()
        _update_average(run, stage)
    return float(loss.detach())


class _Table:
    """The embeddings of a batch's tokens, looked up once: the gradient of each look-up is as large as what is looked up in."""

    def __init__(self, forward: RightPadded, batch: Batch) -> None:
        self._tokens = np.unique(np.concatenate([batch.query_ids.ravel(), batch.passage_ids.ravel()]))
        self._rows = forward.embedded(torch.from_numpy(self._tokens))

    def __call__(self, ids: NDArray[np.int64]) -> torch.Tensor:
        return torch.nn.functional.embedding(torch.from_numpy(np.searchsorted(self._tokens, ids)), self._rows)


def _update_average(run: Run, stage: Stage) -> None:
    if run.average is None:
        return
    kept = min(stage.averaged, (run.step + 1) / (run.step + 10))  # the start is forgotten faster
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.model.parameters()), 1 - kept)


def _vectors(forward: RightPadded, table: _Table, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> torch.Tensor:
    """The rows' vectors, computed in groups of like length: half of a batch of queries would be padding otherwise."""
    lengths = mask.sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    parts = []
    for start in range(0, len(order), ROWS_A_GROUP):
        rows = order[start : start + ROWS_A_GROUP]
        width = int(lengths[rows].max())
        parts.append(forward.pooled(table(ids[rows, :width]), torch.from_numpy(mask[rows, :width]))[0])
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
