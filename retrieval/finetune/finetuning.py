"""One fine-tuning run: collect, evaluate, train, evaluate again, and keep the better model.

"Better" is decided by the full ranking of `search`, on held-out files: the new model is kept if it gains at least MARGIN there, and
more than one standard error of the paired differences; and vectors alone, which `similar` uses, must not lose as much. Chance alone
passes one standard error one time in six: a false positive costs an `undo`, and a stricter rule would reject most true gains of
repositories with a hundred questions.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from retrieval.encoders import is_low_latency
from retrieval.encoders.query_map import QUERY_MAP_NAME
from retrieval.finetune.dataset import MIN_PAIRS, MIN_QUESTIONS, RepositoryDataset, collect
from retrieval.finetune.evaluation import MAX_SECONDS, SPEED_SAMPLE, Gains, RepositoryEvaluator, Score
from retrieval.finetune.git_history import commits_of
from retrieval.finetune.query_fitting import fit_query_map, save_beside
from retrieval.finetune.registry import Adapted, AdaptError, Record, data_folder, keep, place_of
from retrieval.finetune.run_options import Control, FinetuneOptions, Progress, Start, Stop
from retrieval.finetune.trained import FinetunedModel, trained_model
from retrieval.private_files import FILE_MODE, private_folder

if TYPE_CHECKING:
    from retrieval.encoders import Encoder
    from retrieval.engine import Workspace

MARGIN = 0.005  # NDCG@10: less is not felt by anybody
ERRORS = 1.0  # standard errors
MAX_PASSAGES = 2_000  # whose mean is taken out: it is the same within noise from some hundred on
MIN_PASSAGES = 64
WORK, LOCK = "work", "adapt.lock"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and what came of it. Scores are NDCG@10: "ranked" as search ranks, "dense" by vectors alone."""

    base: str
    files: int
    pairs: int  # documented functions to learn from
    names: int  # functions without a comment, learnt from by name
    questions: Mapping[str, int]  # by kind, on files that nothing is learnt from
    dropped: int  # pairs too like the judge's
    chunks: int
    compared: int  # chunks that had vectors while questions were asked
    before: Mapping[str, float]
    after: Mapping[str, float] = field(default_factory=dict)
    gain: Mapping[str, float] = field(default_factory=dict)
    error: Mapping[str, float] = field(default_factory=dict)  # one standard error of the gain
    by_kind: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    way: str = ""
    steps: int = 0
    resumed: bool = False
    kept: bool = False
    reason: str = ""
    model: str = ""  # folder of the model that is used from now on
    seconds: float = 0.0
    learning_seconds: float = 0.0


def verdict(before: Score, after: Score) -> tuple[bool, str]:
    """Whether the new model is better, and the reason."""
    gain, error = _difference(before.ranked, after.ranked)
    dense, dense_error = _difference(before.dense, after.dense)
    least = max(MARGIN, ERRORS * error)
    if gain < least:
        return False, f"as search ranks it gains {gain:+.3f}, and {least:.3f} would be more than noise"
    if dense < -max(MARGIN, ERRORS * dense_error):
        return False, f"as search ranks it gains {gain:+.3f}, but vectors alone lose {-dense:.3f}"
    return True, f"as search ranks it gains {gain:+.3f}, more than noise ({least:.3f})"


def _difference(before: Gains, after: Gains) -> tuple[float, float]:
    """Mean of the paired differences and its standard error."""
    each = after - before
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0


def adapt(workspace: Workspace, start: Start, options: FinetuneOptions, progress: Progress, stop: Stop) -> Outcome:
    """Raises AdaptError where there is too little to learn from, CancelledError if `stop` says so; the old model then stays."""
    control = Control(progress, stop)
    if options.dry:
        return _adapt(workspace, start, options, control)
    place = place_of(workspace.root, start.name)
    try:
        private_folder(place, top=data_folder())
        with FileLock(place / LOCK, timeout=0, mode=FILE_MODE):
            return _adapt(workspace, start, options, control)
    except Timeout as error:
        raise AdaptError(f"Another c2llm adapt is at work on {workspace.root}: wait for it, or stop it.") from error
    except OSError as error:
        raise AdaptError(f"{place} cannot be written ({error}): set C2LLM_DATA_DIR to another folder.") from error


def _adapt(workspace: Workspace, start: Start, options: FinetuneOptions, control: Control) -> Outcome:
    started, progress = time.monotonic(), control.progress
    dataset = collect_dataset(workspace, progress)
    require(dataset)
    evaluator = RepositoryEvaluator(workspace.store, workspace.scanner, dataset.hidden, dataset.questions)
    evaluator.limit(_affordable_chunks(evaluator, start.used))
    before = evaluator.score(start.used, lambda done, total: progress("before", done, total))
    outcome = _initial_outcome(start, dataset, evaluator, before)
    if options.dry:
        return replace(outcome, seconds=time.monotonic() - started)
    place = place_of(workspace.root, start.name)
    # A slow encoder reads as much again for the mean as half of what it is judged among.
    count = MAX_PASSAGES if evaluator.compared == evaluator.chunks else max(MIN_PASSAGES, evaluator.compared // 2)
    finetuned = _finetune(start, dataset, evaluator.other_passages(count), options, place / WORK, control)
    candidate = start.load(finetuned.folder)
    after = evaluator.score(candidate, lambda done, total: progress("after", done, total))
    better, reason = verdict(before, after)
    record: Record | None = None
    if better:
        facts = Adapted(
            folder="",  # its name is given by `keep`
            base_fingerprint=start.encoder.fingerprint,
            fingerprint=candidate.fingerprint,
            made=time.time(),
            questions=len(dataset.questions),
            before=_means(before),
            after=_means(after),
        )
        del candidate  # Windows moves no file that is open
        record = keep(workspace.root, start.name, finetuned.folder, facts)
    shutil.rmtree(place / WORK, ignore_errors=True)
    ranked, dense = _difference(before.ranked, after.ranked), _difference(before.dense, after.dense)
    return replace(
        outcome,
        after=_means(after),
        gain={"ranked": ranked[0], "dense": dense[0]},
        error={"ranked": ranked[1], "dense": dense[1]},
        by_kind=_by_kind(dataset, before, after),
        way=finetuned.way,
        steps=finetuned.steps,
        resumed=finetuned.resumed,
        kept=better,
        reason=reason,
        model=str(record.path) if record is not None else "",
        seconds=time.monotonic() - started,
        learning_seconds=finetuned.seconds,
    )


def _initial_outcome(
    start: Start, dataset: RepositoryDataset, evaluator: RepositoryEvaluator, before: Score
) -> Outcome:
    """The outcome before training."""
    return Outcome(
        base=start.name,
        files=dataset.files,
        pairs=dataset.documented,
        names=len(dataset.learnt) - dataset.documented,
        questions=dataset.counts(),
        dropped=dataset.dropped,
        chunks=evaluator.chunks,
        compared=evaluator.compared,
        before=_means(before),
    )


def collect_dataset(workspace: Workspace, progress: Progress) -> RepositoryDataset:
    """The dataset of the indexed files."""
    return collect(
        workspace.root,
        workspace.scanner,
        workspace.store.files.all(),
        commits_of(workspace.root),
        lambda done, total: progress("pairs", done, total),
    )


def require(dataset: RepositoryDataset) -> None:
    """Raises AdaptError where there is too little to be judged by or to learn from."""
    asked = dataset.counts().get("comment", 0)
    if asked < MIN_QUESTIONS or dataset.documented < MIN_PAIRS:
        raise AdaptError(
            f"There are too few documented functions here: {dataset.documented} to learn from and {asked} to ask for in other "
            f"files, where {MIN_PAIRS} and {MIN_QUESTIONS} are needed. The model stays as it is."
        )


def _affordable_chunks(evaluator: RepositoryEvaluator, encoder: Encoder) -> int:
    """How many chunks the encoder can embed in MAX_SECONDS."""
    if is_low_latency(encoder):
        return evaluator.chunks
    sample = evaluator.passages(SPEED_SAMPLE)
    started = time.perf_counter()
    encoder.encode_passages(sample)
    return int(MAX_SECONDS * len(sample) / max(time.perf_counter() - started, 1e-6))


def _finetune(
    start: Start,
    dataset: RepositoryDataset,
    passages: Sequence[str],
    options: FinetuneOptions,
    work: Path,
    control: Control,
) -> FinetunedModel:
    """A model in a folder that `load` accepts."""
    if options.way != "query":
        return trained_model(start, dataset, passages, options, work, control)
    if (start.folder / QUERY_MAP_NAME).is_file():
        raise AdaptError(f"{start.folder} is an adapted model: set the encoder to the one that it was made from.")
    started = time.monotonic()
    control.progress("learn", 0, 1)
    fitted = fit_query_map(start.encoder, dataset.learnt, passages)
    folder = save_beside(fitted, start.folder, work / "model")
    return FinetunedModel(folder, "query", 0, False, time.monotonic() - started)


def _means(score: Score) -> dict[str, float]:
    ranked, dense = score.mean()
    return {"ranked": ranked, "dense": dense}


def _by_kind(dataset: RepositoryDataset, before: Score, after: Score) -> dict[str, dict[str, float]]:
    kinds = np.array([question.kind for question in dataset.questions])
    found = {}
    for kind in dataset.counts():
        chosen = kinds == kind
        (ranked, dense), (ranked_after, dense_after) = before.mean(chosen), after.mean(chosen)
        found[kind] = {
            "ranked_before": ranked, "ranked_after": ranked_after, "dense_before": dense, "dense_after": dense_after,
        }  # fmt: skip
    return found
