"""The trainings of the comparison: one folder a pooling and seed, each finished, resumed or begun.

All start from the same token table, MiniLM's vectors of the single tokens as in the embedded model's recipe: no pooling that
is compared has shaped it, and from random tokens minutes would not be enough. Layers start as the backbone's own code
starts them, not silent as when they are stacked onto a trained model: the last token would see nothing but itself at first.

    OUT/plan.json, OUT/table.npy, OUT/POOLING-SEED/ with curve.csv, config.json, model.safetensors, training.json
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from retrieval.errors import C2llmError
from retrieval.evaluation.pooling.variants import VARIANTS, Variant, VariantSource, new_model, with_end_token
from retrieval.model.c2llm import C2LLM
from retrieval.model.config import EMBEDDED, C2LLMConfig
from retrieval.training.batches import Batches, TrainingBatch
from retrieval.training.dataset import TokenizedPairs
from retrieval.training.forward import Validation
from retrieval.training.recipe import with_training_limits
from retrieval.training.stacking import embeddings_from_teacher
from retrieval.training.trainer import CHECKPOINT_NAME, Monitoring, Source, Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PLAN_NAME, TABLE_NAME, DONE_NAME = "plan.json", "table.npy", "training.json"
PREPARED = ("tokenizer.json", "train.npz", "valid.npz")
STEP_SECONDS = "cpu_seconds_a_step"
CURVE_QUERIES, CURVE_PASSAGES = 200, 500  # of the curve while training: a look that takes seconds
LOOKS = 5  # at the curve

logger = logging.getLogger(__name__)


class EvaluationError(C2llmError):
    """What was given cannot be evaluated."""


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """What every run of a folder is trained with."""

    prepared: Path
    out: Path
    poolings: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int = 160
    batch: int = 64
    layers: int = 2
    rate: float = 1.5e-3
    embedding_rate: float = 2e-3
    teacher: bool = True  # token table from MiniLM
    hidden: int = EMBEDDED.hidden_size

    def stage(self) -> Stage:
        return Stage(
            steps=self.steps,
            rate=self.rate,
            embedding_rate=self.embedding_rate,
            warm_up=max(1, self.steps // 8),
            validate_every=max(1, self.steps // LOOKS),
        )

    def fixed(self) -> dict[str, Any]:
        """What may not change between the runs that are compared; poolings and seeds can be added."""
        names = ("steps", "batch", "layers", "rate", "embedding_rate", "teacher", "hidden")
        return {"prepared": str(self.prepared.resolve()), **{name: getattr(self, name) for name in names}}

    def runs(self) -> list[TrainingRun]:
        """Seed by seed, so that what is there when it is stopped can be compared."""
        return [
            TrainingRun(VARIANTS[name], seed, self.out / f"{name}-{seed}")
            for seed in self.seeds
            for name in self.poolings
        ]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    variant: Variant
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def finished(self) -> bool:
        return (self.folder / DONE_NAME).is_file()

    @property
    def step_seconds(self) -> float | None:
        """CPU seconds of a step while it was trained."""
        done = json.loads((self.folder / DONE_NAME).read_text(encoding="utf-8"))
        seconds: float | None = done.get(STEP_SECONDS)
        return seconds

    def model(self) -> C2LLM:
        return C2LLM.load(self.folder)


class TimedSource:
    """Notes when each batch is asked for: what lies between two of them is a step."""

    def __init__(self, source: Source) -> None:
        self._source, self._asked = source, list[float]()

    def batch(self, step: int) -> TrainingBatch:
        self._asked.append(time.process_time())
        return self._source.batch(step)

    def seconds(self) -> float | None:
        """CPU seconds of a step in the median, so that looks at the curve do not count."""
        steps = [after - before for before, after in pairwise(self._asked)]
        return round(statistics.median(steps), 3) if steps else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `python -m retrieval.training prepare` wrote."""

    tokenizer: Tokenizer
    config: C2LLMConfig
    pairs: TokenizedPairs
    held_out: TokenizedPairs

    @property
    def shorter(self) -> C2LLMConfig:
        """As the recipe shows them while training."""
        return with_training_limits(self.config)

    def validation(self, variant: Variant, queries: int, passages: int) -> Validation:
        """Docs against bodies of packages that were held out; the first ones, as for the recipe's figures."""
        maker = Batches(self.held_out, self.tokenizer, self.shorter, size=1, seed=0)
        rows = np.arange(min(passages, len(self.held_out)))
        asked = maker.evaluation(rows[:queries], "query")
        return Validation(with_end_token(asked, variant), with_end_token(maker.evaluation(rows, "passage"), variant))


def prepared(plan: ExperimentPlan) -> Prepared:
    from tokenizers import Tokenizer

    missing = [name for name in PREPARED if not (plan.prepared / name).is_file()]
    if missing:
        raise EvaluationError(
            f"There is no {missing[0]} in {plan.prepared}: make it with `python -m retrieval.training prepare "
            f"--data MINED --out {plan.prepared}`."
        )
    tokenizer = Tokenizer.from_file(str(plan.prepared / "tokenizer.json"))
    config = replace(
        EMBEDDED,
        vocab_size=tokenizer.get_vocab_size(),
        num_hidden_layers=plan.layers,
        hidden_size=plan.hidden,
        compressed_dim=plan.hidden,
        intermediate_size=2 * plan.hidden,
    )
    pairs, held_out = (TokenizedPairs.load(plan.prepared / f"{split}.npz") for split in ("train", "valid"))
    return Prepared(tokenizer, config, pairs, held_out)


def write_plan(plan: ExperimentPlan) -> None:
    """Writes the plan down, or refuses one that differs from what is trained there already."""
    plan.out.mkdir(parents=True, exist_ok=True)
    path = plan.out / PLAN_NAME
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if changed := [name for name, value in plan.fixed().items() if before.get(name) != value]:
            raise EvaluationError(
                f"{plan.out} holds runs with another {changed[0]} ({before.get(changed[0])} instead of "
                f"{plan.fixed()[changed[0]]}): give the same to go on with them, or another --out."
            )
    path.write_text(json.dumps(plan.fixed(), indent=2) + "\n", encoding="utf-8")


def train_runs(plan: ExperimentPlan, data: Prepared) -> Iterator[TrainingRun]:
    """Trains what is not finished yet; gives each run once it is."""
    table = _table(plan, data)
    for run in plan.runs():
        if not run.finished:
            _train(run, plan, data, table)
        yield run


def _train(run: TrainingRun, plan: ExperimentPlan, data: Prepared, table: torch.Tensor | None) -> None:
    logger.info("%s: %d steps of %d pairs", run.name, plan.steps, plan.batch)
    model = new_model(run.variant, data.config, table, run.seed)
    batches = Batches(data.pairs, data.tokenizer, data.shorter, size=plan.batch, seed=run.seed)
    looks = {"code": data.validation(run.variant, CURVE_QUERIES, CURVE_PASSAGES)}
    source = TimedSource(VariantSource(batches, run.variant))
    trained = train(model, source, plan.stage(), run.folder, Monitoring(looks))
    trained.save(run.folder)
    done = {"parameters": sum(p.numel() for p in trained.parameters()), STEP_SECONDS: source.seconds()}
    (run.folder / DONE_NAME).write_text(json.dumps(done) + "\n", encoding="utf-8")
    (run.folder / CHECKPOINT_NAME).unlink(missing_ok=True)  # three times the weights, of no use any more


def _table(plan: ExperimentPlan, data: Prepared) -> torch.Tensor | None:
    if not plan.teacher:
        return None
    path = plan.out / TABLE_NAME
    if not path.is_file():
        from retrieval.encoders.minilm import MiniLmEncoder

        logger.info("token table from MiniLM: %d tokens", data.config.vocab_size)
        found = embeddings_from_teacher(data.tokenizer, MiniLmEncoder().encode_passages, data.config.hidden_size)
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, found.numpy())
        temporary.replace(path)
    return torch.from_numpy(np.load(path))
