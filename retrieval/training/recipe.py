"""The embedded model's recipe: token embeddings from MiniLM and PMA without layers; layers can be stacked on.

Each step writes a folder and is skipped where its result exists, so that a run goes on where it was stopped:
    OUT/tokenizer.json, OUT/train.npz, OUT/valid.npz, OUT/stage0/ (and OUT/stage1/ with layers), each stage with
    checkpoint.pt, curve.csv and, once finished, config.json and model.safetensors.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from retrieval.model.c2llm import C2LLM
from retrieval.model.checkpoint import WEIGHTS_NAME
from retrieval.model.config import EMBEDDED, C2LLMConfig, with_layers
from retrieval.training.batches import Batches
from retrieval.training.dataset import TokenizedPairs, tokenize
from retrieval.training.forward import Validation
from retrieval.training.mining import read_pairs
from retrieval.training.stacking import Teacher, embeddings_from_teacher, set_embeddings, stacked
from retrieval.training.tasks import DataError
from retrieval.training.tokenizer import train_tokenizer
from retrieval.training.trainer import Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VALIDATION_QUERIES, VALIDATION_PASSAGES = 1_500, 4_000
# Training shows fewer tokens than the model may read later: the first 80 hold what a body is about, and steps are a third faster.
TRAINING_QUERY_TOKENS, TRAINING_PASSAGE_TOKENS = 36, 80

logger = logging.getLogger(__name__)


# (layers, what to do). Where layers are stacked on, the token table is trained already and moves slowly.
FLAT: tuple[tuple[int, Stage], ...] = ((0, Stage(steps=1_200, rate=2e-3, embedding_rate=4e-3, validate_every=300)),)
STACKED = (
    *FLAT,
    (2, Stage(steps=800, rate=1.5e-3, embedding_rate=4e-4, decay=0.3, averaged=0.99, validate_every=100)),
)


@dataclass(frozen=True, slots=True)
class Recipe:
    config: C2LLMConfig = EMBEDDED
    seed: int = 1
    batch: int = 256
    stages: tuple[tuple[int, Stage], ...] = FLAT


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


def train_stages(out: Path, recipe: Recipe, teacher: Teacher | None) -> Path:
    """Runs the stages that are not finished; returns the last one's folder."""
    from tokenizers import Tokenizer

    torch.manual_seed(recipe.seed)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    shorter = replace(recipe.config, max_query_tokens=TRAINING_QUERY_TOKENS, max_passage_tokens=TRAINING_PASSAGE_TOKENS)
    pairs = TokenizedPairs.load(out / "train.npz")
    validation = _validation(TokenizedPairs.load(out / "valid.npz"), tokenizer, shorter)
    begun = (out / "stage0" / WEIGHTS_NAME).exists()  # the teacher takes minutes to read all tokens
    model = _first_model(tokenizer, recipe, None if begun else teacher)
    folder = out
    for number, (layers, stage) in enumerate(recipe.stages):
        folder = out / f"stage{number}"
        model = stacked(model, layers)
        if (folder / WEIGHTS_NAME).exists():
            model = C2LLM.load(folder)
            continue
        batches = Batches(pairs, tokenizer, shorter, size=recipe.batch, seed=recipe.seed + number)
        logger.info("stage %d: %d layers, %d batches an epoch", number, layers, batches.per_epoch)
        train(model, batches, stage, folder, {"code": validation}).save(folder)
    return folder


def _first_model(tokenizer: Tokenizer, recipe: Recipe, teacher: Teacher | None) -> C2LLM:
    config = replace(with_layers(recipe.config, 0), vocab_size=tokenizer.get_vocab_size())
    model = C2LLM(config)
    if teacher is not None:
        set_embeddings(model, embeddings_from_teacher(tokenizer, teacher, config.hidden_size))
    return model


def _validation(pairs: TokenizedPairs, tokenizer: Tokenizer, config: C2LLMConfig) -> Validation:
    maker = Batches(pairs, tokenizer, config, size=1, seed=0)
    rows = np.arange(len(pairs))
    return Validation(maker.evaluation(rows[:VALIDATION_QUERIES], "query"), maker.evaluation(rows, "passage"))
