"""The training loop of one stage: AdamW, warm-up and decay, checkpoints, validation, a curve, signs of failure in words.

A run that was killed goes on from its last checkpoint and ends where an undisturbed one ends: batches depend on the step alone
(see batches.py) and there is no dropout in the model, so that weights, their average, optimiser and step are the whole state.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from retrieval.errors import C2llmError, Cancelled
from retrieval.model.c2llm import C2LLM
from retrieval.training.batches import TrainingBatch
from retrieval.training.distributed import Alone
from retrieval.training.divergence import DivergenceMonitor, evenness
from retrieval.training.forward import Forward, Validation, attention, mean_reciprocal_rank
from retrieval.training.loss import InfoNce
from retrieval.training.training_curve import Curve

CHECKPOINT_NAME = "checkpoint.pt"
SMOOTH = 0.95  # of the running mean of the loss
WATCHED = 64  # passages whose attention is looked at

logger = logging.getLogger(__name__)


class TrainingFailed(C2llmError):
    """The loss is no number any more; the last good checkpoint is kept."""


class Source(Protocol):
    """Where batches come from; the same one for the same step, whenever it is asked."""

    def batch(self, step: int) -> TrainingBatch: ...


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
    cached: bool = False  # gradient caching: batches larger than memory, for a third more computing
    bf16: bool = False  # 2 times faster where the processor multiplies bf16 itself, slower where not
    distilled: float = 0.0  # weight of the teacher's similarities in the loss, where batches carry them
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


@dataclass(slots=True)
class TrainingState:
    """All that changes while training, and so all that a checkpoint holds."""

    model: C2LLM
    loss: InfoNce
    optimiser: torch.optim.AdamW
    average: C2LLM | None
    step: int = 0
    seconds: float = 0.0
    smooth: dict[str, float] = field(default_factory=dict)  # running mean of the loss, by task
    processes: Alone = field(default_factory=Alone)

    @property
    def result(self) -> C2LLM:
        return self.average or self.model

    @property
    def mean_loss(self) -> float:
        return float(np.mean(list(self.smooth.values()))) if self.smooth else float("nan")

    def save(self, folder: Path) -> None:
        """Only weights that learn: those that adapters leave alone are in the model that the run started from."""
        state = {
            "model": _learning(self.model),
            "loss": self.loss.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": _learning(self.average) if self.average else None,
            "step": self.step,
            "seconds": self.seconds,
            "smooth": self.smooth,
        }
        temporary = folder / "checkpoint.part"
        try:
            torch.save(state, temporary)
            temporary.replace(folder / CHECKPOINT_NAME)
        except (OSError, RuntimeError) as error:  # torch's own writer raises RuntimeError on a full disk
            temporary.unlink(missing_ok=True)
            raise TrainingFailed(
                f"The checkpoint of step {self.step} cannot be written to {folder} ({error}). The one before is kept: "
                "make room, and start the same command again to go on from there."
            ) from error

    def resume(self, folder: Path) -> None:
        """Goes back to the state of FOLDER/checkpoint.pt, where there is one; learning rates stay those of the stage."""
        path = folder / CHECKPOINT_NAME
        if not path.exists():
            return
        try:
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"], strict=False)
            if self.average is not None:
                self.average.load_state_dict(state["average"] or state["model"], strict=False)
            self.loss.load_state_dict(state["loss"])
            rates = [group["rate"] for group in self.optimiser.param_groups]
            self.optimiser.load_state_dict(state["optimiser"])
        except Exception as error:  # pickle, zip and torch each have their own
            raise TrainingFailed(
                f"{path} is no checkpoint of this run ({error}): delete it to begin anew, or give another folder."
            ) from error
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["rate"] = rate
        self.step, self.seconds, self.smooth = state["step"], state["seconds"], state["smooth"]
        logger.info("going on at step %d", self.step)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What follows a run: held-out questions by task, asked now and then; and `go_on`, which hears of each step: where it says
    no, a checkpoint is written and the run ends.
    """

    validations: Mapping[str, Validation] = field(default_factory=dict)
    go_on: Callable[[int], bool] = lambda _step: True


def train(
    model: C2LLM,
    source: Source,
    stage: Stage,
    folder: Path,
    monitoring: Monitoring | None = None,
    processes: Alone | None = None,
) -> C2LLM:
    """Trains to the end of the stage, resuming from FOLDER/checkpoint.pt where there is one.

    Raises Cancelled where the monitoring says no to a step.
    """
    monitoring = monitoring or Monitoring()
    folder.mkdir(parents=True, exist_ok=True)
    held_out = monitoring.validations
    loss_function = InfoNce().to(next(model.parameters()).device)
    run = TrainingState(
        model, loss_function, _optimizer(model, loss_function, stage), deepcopy(model) if stage.averaged else None
    )
    run.resume(folder)
    run.processes = processes or run.processes
    first = run.processes.first
    tasks = [f"mrr {task}" for task in held_out] if len(held_out) > 1 else []
    fields = ("loss", "mrr", "entropy", "last", *tasks)
    curve, watch = Curve(folder / "curve.csv", run.step, fields) if first else None, DivergenceMonitor()
    saved = time.monotonic()
    started = saved - run.seconds
    while run.step < stage.steps:
        _one_step(run, source.batch(run.step), stage, folder)
        run.seconds = time.monotonic() - started
        if curve is not None and (run.step % stage.validate_every == 0 or run.step == stage.steps):
            _validate(run, stage, held_out, curve, watch)
        if first and (time.monotonic() - saved > stage.checkpoint_seconds or run.step == stage.steps):
            run.save(folder)
            saved = time.monotonic()
        if not monitoring.go_on(run.step):
            run.save(folder)
            raise Cancelled(f"Training was stopped at step {run.step} of {stage.steps}.")
    run.processes.wait()
    return run.result.eval()


def _one_step(run: TrainingState, batch: TrainingBatch, stage: Stage, folder: Path) -> None:
    for group in run.optimiser.param_groups:
        group["lr"] = group["rate"] * stage.share(run.step)
    loss = _train_step(run, batch, stage)
    run.step += 1
    if not math.isfinite(loss):
        raise TrainingFailed(
            f"The loss is {loss} at step {run.step}: lower the learning rate; {folder} holds the last good state."
        )
    before = run.smooth.get(batch.task, loss)
    run.smooth[batch.task] = SMOOTH * before + (1 - SMOOTH) * loss


def _validate(
    run: TrainingState, stage: Stage, held_out: Mapping[str, Validation], curve: Curve, watch: DivergenceMonitor
) -> None:
    scores = {task: mean_reciprocal_rank(run.result, validation) for task, validation in held_out.items()}
    mrr = float(np.mean(list(scores.values()))) if scores else float("nan")
    watched = [row for validation in held_out.values() for row in validation.passages[: WATCHED // len(held_out)]]
    even, last = evenness(attention(run.result, watched))
    by_task = {f"mrr {task}": score for task, score in scores.items()} if len(scores) > 1 else {}
    curve.add(run.step, run.seconds, loss=run.mean_loss, mrr=mrr, entropy=even, last=last, **by_task)
    logger.info("step %d/%d  loss %.3f  MRR %.4f  %d s", run.step, stage.steps, run.mean_loss, mrr, run.seconds)
    for warning in watch.warnings(even, last, scores, run.smooth):
        logger.warning("%s", warning)


def _learning(model: C2LLM) -> dict[str, torch.Tensor]:
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


def _optimizer(model: C2LLM, loss_function: InfoNce, stage: Stage) -> torch.optim.AdamW:
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    table = [p for name, p in learning if "embed_tokens" in name]
    rest = [p for name, p in learning if "embed_tokens" not in name]
    matrices, vectors = [p for p in rest if p.dim() > 1], [p for p in rest if p.dim() <= 1]
    groups: list[dict[str, Any]] = [
        {"params": table, "rate": stage.embedding_rate, "weight_decay": 0.0},
        {"params": matrices, "rate": stage.rate, "weight_decay": stage.weight_decay},
        {"params": [*vectors, *loss_function.parameters()], "rate": stage.rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.rate, betas=(0.9, 0.98), eps=1e-8, fused=True)


def _train_step(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    run.model.train()
    run.optimiser.zero_grad(set_to_none=True)
    cached = stage.cached or run.processes.count > 1
    loss = _backward_cached(run, batch, stage) if cached else _backward(run, batch, stage)
    learning = [p for group in run.optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    if math.isfinite(loss):
        run.optimiser.step()
        _update_average(run, stage)
    return loss


def _backward(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    forward = Forward(run.model, batch, bf16=stage.bf16)
    queries = forward.vectors(batch.query_ids, batch.query_mask)
    passages = forward.vectors(batch.passage_ids, batch.passage_mask)
    loss = _loss(run, queries, passages, batch, stage)
    torch.autograd.backward(loss)
    forward.finish_backward()
    return float(loss.detach())


def _backward_cached(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    """Vectors without a graph, the loss's gradients in them, then one group after the other with a graph: memory is that of one
    group, and the gradients are those of the whole batch. Several processes share the rows."""
    forward = Forward(run.model, batch, bf16=stage.bf16)
    sides = ((batch.query_ids, batch.query_mask), (batch.passage_ids, batch.passage_mask))
    own = [run.processes.own(len(ids)) for ids, _ in sides]
    vectors = []
    with torch.no_grad():
        for (ids, mask), rows in zip(sides, own, strict=True):
            found = forward.vectors(ids[rows], mask[rows])
            whole = found.new_zeros(len(ids), found.shape[1])
            whole[torch.from_numpy(rows).to(found.device)] = found
            vectors.append(run.processes.summed(whole).requires_grad_())
    loss = _loss(run, vectors[0], vectors[1], batch, stage)
    torch.autograd.backward(loss)
    for (ids, mask), part, rows in zip(sides, vectors, own, strict=True):
        for places, compute in forward.groups(ids[rows], mask[rows]):
            assert part.grad is not None
            torch.autograd.backward(compute(), part.grad[torch.from_numpy(rows[places]).to(part.device)])
    forward.finish_backward()
    run.processes.sum_gradients(run.model.parameters())
    return float(loss.detach())


def _loss(
    run: TrainingState, queries: torch.Tensor, passages: torch.Tensor, batch: TrainingBatch, stage: Stage
) -> torch.Tensor:
    ignored, teacher = (
        None if array is None else torch.from_numpy(array).to(queries.device)
        for array in (batch.ignored, batch.teacher)
    )
    loss: torch.Tensor = run.loss(queries, passages, ignored)
    if stage.distilled and teacher is not None:
        loss = (1 - stage.distilled) * loss + stage.distilled * run.loss.distilled(queries, passages, teacher)
    return loss


def _update_average(run: TrainingState, stage: Stage) -> None:
    if run.average is None:
        return
    kept = min(stage.averaged, (run.step + 1) / (run.step + 10))  # the start is forgotten faster
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.model.parameters()), 1 - kept)
