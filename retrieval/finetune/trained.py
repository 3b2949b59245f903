"""A model that is trained on a repository, exported or saved as the one that it came from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.errors import MissingExtraError
from retrieval.finetune.dataset import RepositoryDataset
from retrieval.finetune.registry import AdaptError
from retrieval.finetune.run_options import Control, FinetuneOptions, Start
from retrieval.finetune.weights_io import load_trainable, save_like
from retrieval.model.graph_files import PASSAGES_NAME

LEARNING_SHARE = 0.6  # of the time budget; the rest is for two evaluations


@dataclass(frozen=True, slots=True)
class FinetunedModel:
    folder: Path
    way: str
    steps: int
    resumed: bool
    seconds: float


def trained_model(
    start: Start,
    dataset: RepositoryDataset,
    passages: Sequence[str],
    options: FinetuneOptions,
    work: Path,
    control: Control,
) -> FinetunedModel:
    """Train a model and write it to a folder that `load` accepts. Raises AdaptError, CancelledError with a checkpoint in `work`."""
    if (start.folder / PASSAGES_NAME).is_file():
        raise AdaptError(
            "This model reads passages by a graph of its own and is not trained on a repository: use --way query, or a checkpoint."
        )
    try:
        from tokenizers import Tokenizer

        from retrieval.finetune import fit
        from retrieval.finetune.mean_centering import centre, has_offset
        from retrieval.model.export import TOKENIZER_NAME
        from retrieval.training.distributed import current_processes
    except ImportError as error:
        raise MissingExtraError("Training a model", "train") from error
    started = time.monotonic()
    model = load_trainable(start.folder).to(current_processes().device)
    tokenizer = Tokenizer.from_file(str(start.folder / TOKENIZER_NAME))
    recipe = replace(fit.RECIPES[options.way], seed=options.seed)
    source = fit.source_of(dataset.learnt, tokenizer, model, recipe)
    interrupted = fit.interrupted_steps(work, recipe, start.encoder.fingerprint, dataset.digest)
    seconds = LEARNING_SHARE * 60 * options.minutes
    steps = options.steps or interrupted or fit.steps_for(source, recipe, model, seconds)
    plan = fit.FitPlan(recipe, steps, start.encoder.fingerprint, dataset.digest)
    resumed = fit.prepare_resume(work, plan)

    def should_continue(step: int) -> bool:
        control.progress("learn", step, steps)
        return not control.stop()

    model = fit.finetune_model(model, source, plan, work, should_continue)
    if has_offset(model):
        centre(model, tokenizer, passages)
    folder = save_like(model, start.folder, work / "model")
    return FinetunedModel(folder, recipe.way, steps, resumed, time.monotonic() - started)
