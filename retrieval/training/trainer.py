"""The training loop of one stage: AdamW, warm-up and decay, checkpoints, validation, training curve, divergence warnings.

A killed run resumes from its last checkpoint with the same result as an uninterrupted one: batches depend on the step alone (see
batches.py) and the model has no dropout, so that weights, their average, optimizer and step are the whole state.
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

from retrieval.errors import C2llmError, CancelledError
from retrieval.model.c2llm import C2LLM
from retrieval.training.batches import TrainingBatch
from retrieval.training.distributed import SingleProcess
from retrieval.training.divergence import DivergenceMonitor, pooling_entropy
from retrieval.training.forward import Forward, Validation, attention, mean_reciprocal_rank
from retrieval.training.loss import InfoNce
from retrieval.training.training_curve import Curve

CHECKPOINT_NAME = "checkpoint.pt"
LOSS_SMOOTHING = 0.95  # decay of the running mean of the loss
ATTENTION_SAMPLES = 64  # passages whose pooling attention is monitored

logger = logging.getLogger(__name__)


class TrainingFailed(C2llmError):
    """Training cannot go on, e.g. the loss is not finite; the last good checkpoint is kept."""


class Source(Protocol):
    """Deterministic batches: the same step always gives the same batch."""

    def batch(self, step: int) -> TrainingBatch: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Settings of one stage. Learning rates: `rate` for weights, `embedding_rate` for the token embeddings.

    Warm-up-stable-decay: rates rise over `warm_up` steps, stay, and follow a cosine over the last `decay` (share) of the steps.
    Until the decay a run does not depend on `steps`: the length can be changed while it runs.
    """

    steps: int
    rate: float
    embedding_rate: float
    warm_up: int = 100
    decay: float = 1.0
    final_share: float = 0.02  # of the learning rate that remains at the end
    weight_decay: float = 0.01
    averaged: float = 0.0  # decay of an exponential moving average of the weights, which becomes the result; 0 = none
    cached: bool = False  # gradient caching: batches larger than memory, for a third more computation
    bf16: bool = False  # twice as fast on CPUs with bf16 instructions, slower on others
    distilled: float = 0.0  # weight of the distillation loss, for batches with teacher similarities
    checkpoint_seconds: float = 120.0
    validate_every: int = 500

    def share(self, step: int) -> float:
        """The factor on the learning rates at a step."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        start = max(self.warm_up, round(self.steps * (1 - self.decay)))
        if step < start:
            return 1.0
        progress = (step - start) / max(self.steps - start, 1)
        return self.final_share + (1 - self.final_share) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


@dataclass(slots=True)
class TrainingState:
    """The state of training: everything that a checkpoint holds."""

    model: C2LLM
    loss: InfoNce
    optimizer: torch.optim.AdamW
    average: C2LLM | None
    step: int = 0
    seconds: float = 0.0
    smooth: dict[str, float] = field(default_factory=dict)  # running mean of the loss, by task
    processes: SingleProcess = field(default_factory=SingleProcess)

    @property
    def result(self) -> C2LLM:
        return self.average or self.model

    @property
    def mean_loss(self) -> float:
        return float(np.mean(list(self.smooth.values()))) if self.smooth else float("nan")

    def save(self, folder: Path) -> None:
        """Save a checkpoint, with trainable weights only: frozen ones come from the initial model."""
        state = {
            "model": _trainable_state(self.model),
            "loss": self.loss.state_dict(),
            "optimiser": self.optimizer.state_dict(),
            "average": _trainable_state(self.average) if self.average else None,
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
        """Restore FOLDER/checkpoint.pt if it exists; learning rates stay those of the stage."""
        path = folder / CHECKPOINT_NAME
        if not path.exists():
            return
        try:
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"], strict=False)
            if self.average is not None:
                self.average.load_state_dict(state["average"] or state["model"], strict=False)
            self.loss.load_state_dict(state["loss"])
            rates = [group["rate"] for group in self.optimizer.param_groups]
            self.optimizer.load_state_dict(state["optimiser"])
        except Exception as error:  # pickle, zip and torch each have their own
            raise TrainingFailed(
                f"{path} is no checkpoint of this run ({error}): delete it to begin anew, or give another folder."
            ) from error
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["rate"] = rate
        self.step, self.seconds, self.smooth = state["step"], state["seconds"], state["smooth"]
        logger.info("going on at step %d", self.step)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Validation sets by task, and `should_continue`, called after each step: if it returns False, a checkpoint is written and
    training ends.
    """

    validations: Mapping[str, Validation] = field(default_factory=dict)
    should_continue: Callable[[int], bool] = lambda _step: True


def train(
    model: C2LLM,
    source: Source,
    stage: Stage,
    folder: Path,
    monitoring: Monitoring | None = None,
    processes: SingleProcess | None = None,
) -> C2LLM:
    """Train to the end of the stage, resuming from FOLDER/checkpoint.pt if it exists.

    Raises CancelledError if `should_continue` returns False.
    """
    monitoring = monitoring or Monitoring()
    folder.mkdir(parents=True, exist_ok=True)
    held_out = monitoring.validations
    loss_function = InfoNce().to(next(model.parameters()).device)
    run = TrainingState(
        model, loss_function, make_optimizer(model, loss_function, stage), deepcopy(model) if stage.averaged else None
    )
    run.resume(folder)
    run.processes = processes or run.processes
    first = run.processes.is_main
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
        if not monitoring.should_continue(run.step):
            run.save(folder)
            raise CancelledError(f"Training was stopped at step {run.step} of {stage.steps}.")
    run.processes.barrier()
    return run.result.eval()


def _one_step(run: TrainingState, batch: TrainingBatch, stage: Stage, folder: Path) -> None:
    for group in run.optimizer.param_groups:
        group["lr"] = group["rate"] * stage.share(run.step)
    loss = train_step(run, batch, stage)
    run.step += 1
    if not math.isfinite(loss):
        raise TrainingFailed(
            f"The loss is {loss} at step {run.step}: lower the learning rate; {folder} holds the last good state."
        )
    before = run.smooth.get(batch.task, loss)
    run.smooth[batch.task] = LOSS_SMOOTHING * before + (1 - LOSS_SMOOTHING) * loss


def _validate(
    run: TrainingState, stage: Stage, held_out: Mapping[str, Validation], curve: Curve, watch: DivergenceMonitor
) -> None:
    scores = {task: mean_reciprocal_rank(run.result, validation) for task, validation in held_out.items()}
    mrr = float(np.mean(list(scores.values()))) if scores else float("nan")
    samples = [
        row for validation in held_out.values() for row in validation.passages[: ATTENTION_SAMPLES // len(held_out)]
    ]
    even, last = pooling_entropy(attention(run.result, samples))
    by_task = {f"mrr {task}": score for task, score in scores.items()} if len(scores) > 1 else {}
    curve.add(run.step, run.seconds, loss=run.mean_loss, mrr=mrr, entropy=even, last=last, **by_task)
    logger.info("step %d/%d  loss %.3f  MRR %.4f  %d s", run.step, stage.steps, run.mean_loss, mrr, run.seconds)
    for warning in watch.warnings(even, last, scores, run.smooth):
        logger.warning("%s", warning)


def _trainable_state(model: C2LLM) -> dict[str, torch.Tensor]:
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


def make_optimizer(model: C2LLM, loss_function: InfoNce, stage: Stage) -> torch.optim.AdamW:
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    embeddings = [p for name, p in trainable if "embed_tokens" in name]
    rest = [p for name, p in trainable if "embed_tokens" not in name]
    matrices, vectors = [p for p in rest if p.dim() > 1], [p for p in rest if p.dim() <= 1]
    groups: list[dict[str, Any]] = [
        {"params": embeddings, "rate": stage.embedding_rate, "weight_decay": 0.0},
        {"params": matrices, "rate": stage.rate, "weight_decay": stage.weight_decay},
        {"params": [*vectors, *loss_function.parameters()], "rate": stage.rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.rate, betas=(0.9, 0.98), eps=1e-8, fused=True)


def train_step(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    run.model.train()
    run.optimizer.zero_grad(set_to_none=True)
    cached = (stage.cached or run.processes.count > 1) and batch.query_vectors is None
    loss = backward_cached(run, batch, stage) if cached else backward(run, batch, stage)
    trainable = [p for group in run.optimizer.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(trainable, 1.0)
    if math.isfinite(loss):
        run.optimizer.step()
        _update_average(run, stage)
    return loss


def backward(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    forward = Forward(run.model, batch, bf16=stage.bf16)
    passages = forward.vectors(batch.passage_ids, batch.passage_mask)
    if batch.query_vectors is None:
        queries = forward.vectors(batch.query_ids, batch.query_mask)
    else:
        queries = torch.from_numpy(batch.query_vectors).to(passages.device)
    loss = _loss(run, queries, passages, batch, stage)
    torch.autograd.backward(loss)
    forward.finish_backward()
    return float(loss.detach())


def backward_cached(run: TrainingState, batch: TrainingBatch, stage: Stage) -> float:
    """Gradient caching: vectors without a graph, the loss's gradients with respect to them, then a backward pass group by group.
    Memory is that of one group, the gradients are those of the whole batch. Several processes share the rows."""
    forward = Forward(run.model, batch, bf16=stage.bf16)
    sides = ((batch.query_ids, batch.query_mask), (batch.passage_ids, batch.passage_mask))
    own = [run.processes.shard(len(ids)) for ids, _ in sides]
    vectors = []
    with torch.no_grad():
        for (ids, mask), rows in zip(sides, own, strict=True):
            computed = forward.vectors(ids[rows], mask[rows])
            gathered = computed.new_zeros(len(ids), computed.shape[1])
            gathered[torch.from_numpy(rows).to(computed.device)] = computed
            vectors.append(run.processes.all_reduce(gathered).requires_grad_())
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
    kept = min(stage.averaged, (run.step + 1) / (run.step + 10))  # shorter memory at the start
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.model.parameters()), 1 - kept)
