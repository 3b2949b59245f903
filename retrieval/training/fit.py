"""Train a C2LLM of any size on a folder of tasks: from the examples to a model that search can use.

OUT holds mined negatives (one .jsonl a task), checkpoint.pt and curve.csv during the run, then config.json, model.safetensors,
tokenizer.json and model.onnx. Started again, it resumes from the checkpoint.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from retrieval.errors import EncoderError, ModelError
from retrieval.model.c2llm import C2LLM
from retrieval.training.adapters import add_adapters, merge_adapters
from retrieval.training.distributed import current_processes
from retrieval.training.forward import encode
from retrieval.training.mixture import Mixture, Teacher, tokens
from retrieval.training.negatives import mine_hard_negatives
from retrieval.training.tasks import DataError, Task, read_examples, read_tasks, usable, write_examples
from retrieval.training.trainer import CHECKPOINT_NAME, Monitoring, Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_NAME = "tokenizer.json"
SETTINGS_NAME = "settings.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings of a run beside the stage. `hard_negatives`: how many to mine for each query; 0 uses those in the data."""

    stage: Stage
    batch: int = 64
    seed: int = 1
    hard_negatives: int = 0
    lora_rank: int = 0
    teacher: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


def fit(tasks_folder: Path, start: Path, out: Path, settings: TrainSettings) -> Path:
    """Trains the model in START on the tasks and writes the result to OUT."""
    from tokenizers import Tokenizer

    processes = current_processes()
    out.mkdir(parents=True, exist_ok=True)
    if processes.is_main:
        _check_same_settings(out, start, settings)
    tokenizer = Tokenizer.from_file(str(_find_tokenizer(start)))
    teacher = _teacher(settings.teacher) if settings.teacher else None
    tasks = read_tasks(tasks_folder, weights=settings.weights)
    torch.manual_seed(settings.seed)
    model = C2LLM.load(start).to(processes.device)
    if settings.hard_negatives:
        if not processes.is_main:
            processes.barrier()  # the main process mines
        tasks = [_with_hard_negatives(task, model, tokenizer, out, settings.hard_negatives) for task in tasks]
        if processes.is_main:
            processes.barrier()
    mixture = Mixture(tasks, tokenizer, model.config, size=settings.batch, seed=settings.seed, teacher=teacher)
    logger.info("%d tasks, %d batches an epoch, %d steps", len(tasks), mixture.per_epoch, settings.stage.steps)
    if settings.lora_rank:
        add_adapters(model, settings.lora_rank)
    trained = train(model, mixture, settings.stage, out, Monitoring(mixture.validations()), processes)
    if settings.lora_rank:
        trained = merge_adapters(trained)
    if processes.is_main:
        trained.cpu().save(out)
        shutil.copyfile(_find_tokenizer(start), out / TOKENIZER_NAME)
    return out


def _check_same_settings(out: Path, start: Path, settings: TrainSettings) -> None:
    """Raises DataError if a checkpoint was made with other settings; the number of steps may change until the rates decay."""
    current = {
        "start": str(start.resolve()),
        "batch": settings.batch,
        "seed": settings.seed,
        "hard_negatives": settings.hard_negatives,
        "lora_rank": settings.lora_rank,
        "teacher": settings.teacher,
        "weights": dict(settings.weights),
    }
    path = out / SETTINGS_NAME
    if (out / CHECKPOINT_NAME).exists() and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if changed := [name for name in current if before.get(name) != current[name]]:
            raise DataError(
                f"{out} holds a run with another {changed[0]} ({before.get(changed[0])} instead of {current[changed[0]]}): "
                "use the same settings to resume it, or another folder."
            )
    path.write_text(json.dumps(current, indent=2) + "\n", encoding="utf-8")


def _find_tokenizer(start: Path) -> Path:
    """The tokenizer in the model's folder, or in its parent, as with the stages of the embedded model."""
    for folder in (start, start.parent):
        if (folder / TOKENIZER_NAME).is_file():
            return folder / TOKENIZER_NAME
    raise ModelError(f"There is no {TOKENIZER_NAME} in {start}: copy the model's tokenizer there.")


def _teacher(name: str) -> Teacher:
    from retrieval.encoders import load

    try:
        encoder = load(name)
    except (EncoderError, ModelError) as error:
        raise EncoderError(
            f"The teacher '{name}' cannot be loaded: {error} Leave out --teacher to train without one."
        ) from error
    return Teacher(encoder.encode_queries, encoder.encode_passages)


def _with_hard_negatives(task: Task, model: C2LLM, tokenizer: Tokenizer, out: Path, count: int) -> Task:
    """Add hard negatives mined with the initial model; they are saved, so that a resumed run has the same."""
    target = out / "negatives" / f"{task.name}.jsonl"
    if not target.exists():
        config = model.config
        queries = [example.query for example in task.examples]
        passages = [example.positive for example in task.examples]
        examples = mine_hard_negatives(
            task.examples,
            encode(model, tokens(tokenizer, queries, task.query_instruction, config.max_query_tokens)),
            encode(model, tokens(tokenizer, passages, task.document_instruction, config.max_passage_tokens)),
            count=count,
        )
        write_examples(examples, target)
        logger.info("task %s: %d hard negatives", task.name, sum(len(example.negatives) for example in examples))
    return replace(task, examples=list(usable(read_examples(target), target.name)))
