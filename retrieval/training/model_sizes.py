"""Compare sizes of the embedded model: quality and speed after equal training time.

A deeper or wider model makes fewer steps in that time, so that its training cost counts too. Short runs favour small models; they
do not tell what a long run would add.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch

from retrieval.model.c2llm import C2LLM
from retrieval.model.config import EMBEDDED, C2LLMConfig, with_layers
from retrieval.model.export import export
from retrieval.training.batches import Batches
from retrieval.training.dataset import TokenizedPairs
from retrieval.training.forward import mean_reciprocal_rank
from retrieval.training.mining import read_pairs
from retrieval.training.recipe import STACKED, Recipe, prepare, validation, with_training_limits
from retrieval.training.stacking import Teacher, embeddings_from_teacher, set_embeddings, stack_layers
from retrieval.training.trainer import Monitoring, Stage, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH = 128
FLAT_SHARE = 0.25  # of the time, before the layers
TIMED_STEPS = 4
SPEED_PASSAGES = 1_000  # passages by which speed is measured

EncoderLoader = Callable[[Path], Callable[[Sequence[str]], object]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelSize:
    layers: int = EMBEDDED.num_hidden_layers
    width: int = EMBEDDED.hidden_size
    dimension: int = EMBEDDED.compressed_dim  # of the vectors
    vocabulary: int = EMBEDDED.vocab_size

    @property
    def name(self) -> str:
        return f"{self.layers}-{self.width}-{self.dimension}-{self.vocabulary}"

    @property
    def config(self) -> C2LLMConfig:
        """Heads keep their width, and the inner width is twice the outer one."""
        heads = max(2, EMBEDDED.num_attention_heads * self.width // EMBEDDED.hidden_size)
        return replace(
            EMBEDDED,
            num_hidden_layers=self.layers,
            hidden_size=self.width,
            num_attention_heads=heads,
            intermediate_size=2 * self.width,
            compressed_dim=self.dimension,
            vocab_size=self.vocabulary,
        )


# The embedded size, and sizes that differ from it in one dimension.
MODEL_SIZES = (
    ModelSize(),
    *(ModelSize(layers=layers) for layers in (0, 1, 4)),
    *(ModelSize(width=width) for width in (128, 384)),
    ModelSize(dimension=128),
    ModelSize(vocabulary=16_000),
)


@dataclass(frozen=True, slots=True)
class TrainingBudget:
    """Training time and batch size of each model."""

    seconds: float = 200.0
    batch: int = BATCH
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Folders:
    """What a comparison reads and writes: DATA is what `mine` wrote, RUN what `prepare` wrote; OUT gets the models."""

    data: Path
    run: Path
    out: Path


@dataclass(frozen=True, slots=True)
class Measurement:
    shape: str
    parameters: int
    megabytes: float  # of the graph, int8 weights
    steps: list[int]  # of each stage
    mrr: float  # held-out packages, as in recipe.validation
    passages_per_second: float


def compare(
    folders: Folders,
    teacher: Teacher,
    reader: EncoderLoader,
    *,
    shapes: Sequence[ModelSize] = MODEL_SIZES,
    budget: TrainingBudget = TrainingBudget(),
) -> list[Measurement]:
    """Trains each shape for `effort.seconds` and measures it; what is in OUT already is not done again.

    Another vocabulary is prepared in OUT. OUT/SHAPE/model is a model
    that `c2llm evaluate bench --encoder` takes. `reader` loads such a folder and gives what embeds passages.
    """
    data, out = folders.data, folders.out
    cached_teacher = _CachingTeacher(teacher)
    found = []
    for shape in shapes:
        folder = out / shape.name
        results_file = folder / "measured.json"
        if not results_file.exists():
            prepared = (
                folders.run if shape.vocabulary == EMBEDDED.vocab_size else out / f"vocabulary-{shape.vocabulary}"
            )
            prepare(data, prepared, Recipe(shape.config))
            speed_of = partial(_passages_per_second, reader, _texts(data))
            measured = _measure(shape, prepared, folder, cached_teacher, speed_of, budget)
            results_file.write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")
        found.append(Measurement(**json.loads(results_file.read_text(encoding="utf-8"))))
    return found


def table(results: Sequence[Measurement]) -> Iterator[str]:
    """As Markdown."""
    yield "| layers | width | vectors | vocabulary | parameters | MB | steps | MRR | passages/s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for result in results:
        cells = [*result.shape.split("-"), f"{result.parameters / 1e6:.1f} M", f"{result.megabytes:.1f}"]
        cells += [" + ".join(map(str, result.steps)), f"{result.mrr:.3f}", f"{result.passages_per_second:.0f}"]
        yield f"| {' | '.join(cells)} |"


class _CachingTeacher:
    """Embeds each text once."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if new := list(dict.fromkeys(text for text in texts if text not in self._known)):
            self._known.update(zip(new, self._teacher(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def _texts(data: Path) -> list[str]:
    pairs = read_pairs(data / "valid.jsonl")
    return [
        f"{pair.path}\n{pair.qualified}\n{pair.body}" for pair, _ in zip(pairs, range(SPEED_PASSAGES), strict=False)
    ]


def _passages_per_second(reader: EncoderLoader, texts: Sequence[str], model: Path) -> float:
    embed = reader(model)
    embed(texts[: len(texts) // 10 + 1])
    started = time.perf_counter()
    embed(texts)
    return len(texts) / (time.perf_counter() - started)


def _measure(
    shape: ModelSize,
    prepared: Path,
    folder: Path,
    teacher: Teacher,
    speed_of: Callable[[Path], float],
    budget: TrainingBudget,
) -> Measurement:
    from tokenizers import Tokenizer

    torch.manual_seed(budget.seed)
    tokenizer = Tokenizer.from_file(str(prepared / "tokenizer.json"))
    config = replace(shape.config, vocab_size=tokenizer.get_vocab_size())
    pairs = TokenizedPairs.load(prepared / "train.npz")
    model, steps = _train_model(config, tokenizer, pairs, folder, teacher, budget)
    held_out = validation(TokenizedPairs.load(prepared / "valid.npz"), tokenizer, with_training_limits(config))
    export(model, prepared / "tokenizer.json", folder / "model")
    speed = speed_of(folder / "model")
    measured = Measurement(
        shape.name,
        sum(parameter.numel() for parameter in model.parameters()),
        sum(path.stat().st_size for path in (folder / "model").glob("*.onnx*")) / 1e6,
        steps,
        mean_reciprocal_rank(model, held_out),
        speed,
    )
    logger.info("%s", measured)
    return measured


def _train_model(
    config: C2LLMConfig,
    tokenizer: Tokenizer,
    pairs: TokenizedPairs,
    folder: Path,
    teacher: Teacher,
    budget: TrainingBudget,
) -> tuple[C2LLM, list[int]]:
    """The recipe's first two steps, rates falling all the way, as far as the time goes."""
    model = C2LLM(with_layers(config, 0))
    set_embeddings(model, embeddings_from_teacher(tokenizer, teacher, config.hidden_size))
    layers = config.num_hidden_layers
    steps = []
    for number, (depth, share) in enumerate([(0, FLAT_SHARE), (layers, 1 - FLAT_SHARE)] if layers else [(0, 1.0)]):
        model = stack_layers(model, depth)
        batches = Batches(pairs, tokenizer, with_training_limits(config), size=budget.batch, seed=budget.seed + number)
        stage = replace(STACKED[number].stage, decay=1.0, averaged=0.0, validate_every=1_000_000)
        count = max(2, round(share * budget.seconds / _seconds_a_step(model, batches, stage)))
        stage = replace(stage, steps=count, warm_up=min(stage.warm_up, count // 5))
        model = train(model, batches, stage, folder / f"stage{number}")
        steps.append(count)
    return model, steps


def _seconds_a_step(model: C2LLM, batches: Batches, stage: Stage) -> float:
    """The fastest of a few: the first ones make memory ready, and others may be disturbed."""
    ends = [time.perf_counter()]

    def note(_: int) -> bool:
        ends.append(time.perf_counter())
        return True

    with TemporaryDirectory() as folder:
        train(
            deepcopy(model), batches, replace(stage, steps=TIMED_STEPS), Path(folder), Monitoring(should_continue=note)
        )
    return float(np.diff(ends).min())
