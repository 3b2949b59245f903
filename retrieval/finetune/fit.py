"""Train a model on a repository's pairs.

Ways: `pma` trains the pooling, `lora` the pooling and small matrices beside the backbone's, `all` every weight, and each is
centred afterwards (mean_centering.py). A few epochs at low
rates, and then only part of the way: the weights that come out lie between those before and those after training, which
keeps what the model knew of code in general. Figures of what was tried are in evaluation/LOG.md: on repositories of some
hundred functions training learns by heart, and a map of queries (query_fitting.py) gains.

A run that was stopped goes on from its checkpoint and ends where it would have; where the repository has changed meanwhile, or
another length is asked for, it begins anew.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from retrieval.finetune.batches import RepositoryBatches
from retrieval.finetune.weights_io import Way
from retrieval.model.c2llm import C2LLM
from retrieval.private_files import private_folder, write_private
from retrieval.training.adapters import add_adapters, merge_adapters
from retrieval.training.distributed import SingleProcess
from retrieval.training.extraction import Pair
from retrieval.training.forward import Forward
from retrieval.training.loss import InfoNce
from retrieval.training.trainer import CHECKPOINT_NAME, Monitoring, Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PLAN = "plan.json"
BATCH = 128  # negatives come from the same repository: hard ones, so that there need not be more
WARM_UP = 10
MIN_STEPS, MAX_STEPS = 20, 600
CHECKPOINT_SECONDS = 20.0  # what a crash costs; Ctrl-C writes one itself
OPTIMIZER_SHARE = 1.5  # a whole step by its forward and backward pass; measured 1.2 to 1.6


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """`moved`: the interpolation factor between initial and trained weights."""

    way: Way
    rate: float
    table_rate: float
    epochs: float
    moved: float
    rank: int = 0
    batch: int = BATCH
    seed: int = 1


RECIPES: dict[Way, FitRecipe] = {
    "all": FitRecipe("all", rate=3e-4, table_rate=1e-3, epochs=8, moved=0.5),
    "pma": FitRecipe("pma", rate=5e-4, table_rate=0.0, epochs=8, moved=0.5),
    "lora": FitRecipe("lora", rate=3e-4, table_rate=0.0, epochs=4, moved=0.5, rank=8, batch=32),
}


@dataclass(frozen=True, slots=True)
class FitPlan:
    """The plan of a run; an interrupted run is resumed only under the same plan."""

    recipe: FitRecipe
    steps: int
    model: str  # fingerprint of the encoder that it starts from
    pairs: str  # digest of what is learnt from


def source_of(pairs: Sequence[Pair], tokenizer: Tokenizer, model: C2LLM, recipe: FitRecipe) -> RepositoryBatches:
    return RepositoryBatches(pairs, tokenizer, model.config, size=recipe.batch, seed=recipe.seed)


def steps_for(source: RepositoryBatches, recipe: FitRecipe, model: C2LLM, seconds: float) -> int:
    """As many as the epochs need and the time allows; the time of one is measured."""
    wanted = max(MIN_STEPS, min(MAX_STEPS, math.ceil(recipe.epochs * source.per_epoch)))
    return max(2, min(wanted, int(seconds / _seconds_a_step(model, source))))


def _seconds_a_step(model: C2LLM, source: RepositoryBatches) -> float:
    batch, loss = source.batch(0), InfoNce().to(next(model.parameters()).device)
    started = time.perf_counter()
    forward = Forward(model, batch)
    queries = forward.vectors(batch.query_ids, batch.query_mask)
    torch.autograd.backward(loss(queries, forward.vectors(batch.passage_ids, batch.passage_mask)))
    forward.finish_backward()
    model.zero_grad(set_to_none=True)
    return OPTIMIZER_SHARE * (time.perf_counter() - started)


def prepare_resume(work: Path, plan: FitPlan) -> bool:
    """Whether an interrupted run of this plan can be resumed; files of other runs are removed."""
    try:
        same = json.loads((work / PLAN).read_text(encoding="utf-8")) == json.loads(json.dumps(asdict(plan)))
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(work, ignore_errors=True)
    return same and (work / CHECKPOINT_NAME).is_file()


def interrupted_steps(work: Path, recipe: FitRecipe, model: str, pairs: str) -> int | None:
    """The length of the run that was stopped here, where it is to go on: time is measured once."""
    try:
        table = json.loads((work / PLAN).read_text(encoding="utf-8"))
        steps = int(table["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = table == json.loads(json.dumps(asdict(FitPlan(recipe, steps, model, pairs))))
    return steps if same and (work / CHECKPOINT_NAME).is_file() else None


def finetune_model(
    model: C2LLM, source: RepositoryBatches, plan: FitPlan, work: Path, should_continue: Callable[[int], bool]
) -> C2LLM:
    """The model, changed in place. Raises CancelledError where `should_continue` says no to a step, with a checkpoint in `work`."""
    recipe = plan.recipe
    private_folder(work)
    write_private(work / PLAN, json.dumps(asdict(plan), indent=2) + "\n")
    torch.manual_seed(recipe.seed)
    if recipe.way == "lora":
        add_adapters(model, recipe.rank)
    elif recipe.way == "pma":
        model.plm_model.requires_grad_(False)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    stage = Stage(
        steps=plan.steps,
        rate=recipe.rate,
        embedding_rate=recipe.table_rate,
        warm_up=min(WARM_UP, max(1, plan.steps // 4)),
        weight_decay=0.0,  # it would pull towards zero what is to stay near where it was
        cached=recipe.way == "lora",
        checkpoint_seconds=CHECKPOINT_SECONDS,
        validate_every=plan.steps,
    )
    trained = train(model, source, stage, work, Monitoring(should_continue=should_continue), SingleProcess())
    _interpolate(trained, before, recipe.moved)
    if recipe.way == "lora":
        merge_adapters(trained)
    return trained.requires_grad_(True)


def _interpolate(model: C2LLM, before: dict[str, torch.Tensor], moved: float) -> None:
    """Interpolate between initial and trained weights. For adapters, one of the two matrices is enough: they are multiplied."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in before and "lora_A" not in name:
                parameter.lerp_(before[name], 1 - moved)
