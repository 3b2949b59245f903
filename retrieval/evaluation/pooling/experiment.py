"""All of it in one go: train, measure, look, tell. Whatever is there already is not done again.

The report is written after every run, so that one that was stopped says what came out so far; pictures are drawn at the end.
    OUT/report.json, OUT/report.md, OUT/plots/*.png
"""

from __future__ import annotations

import json
import logging
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.encoders import AttendingEncoder, load
from retrieval.errors import EncoderError
from retrieval.evaluation.benchmark import Project
from retrieval.evaluation.pooling import plots, report
from retrieval.evaluation.pooling.attention import Sample, analyzed, head_evenness, look, samples
from retrieval.evaluation.pooling.run_encoder import RunEncoder
from retrieval.evaluation.pooling.runs import (
    STEP_SECONDS,
    ExperimentPlan,
    TrainingRun,
    prepared,
    train_runs,
    write_plan,
)
from retrieval.evaluation.pooling.scores import BENCH, HELD_OUT, PER_FILE, TEXT, Questions, measure
from retrieval.evaluation.pooling.text_retrieval import read_texts

LOOKS_NAME = "attention.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Experiment:
    plan: ExperimentPlan
    texts: tuple[Path, ...] = ()
    projects: tuple[Project, ...] = ()  # of the benchmark, that are scored
    code: tuple[Project, ...] = ()  # whose chunks attention is looked at on
    looked_at: tuple[str, ...] = ()  # encoders whose attention is analysed besides the runs'


def run_experiment(wanted: Experiment) -> dict[str, Any]:
    """The whole report; raises EvaluationError before anything is trained where something is missing."""
    plan, data = wanted.plan, prepared(wanted.plan)
    texts = {folder.resolve().name: read_texts(folder) for folder in wanted.texts}
    encoders = [(name, load(name)) for name in wanted.looked_at]
    write_plan(plan)
    asked = Questions(texts, wanted.projects, plan.out / "cache")
    chosen = samples(wanted.code)
    attention: dict[str, Any] = {}
    for name, encoder in encoders if chosen else []:
        if not isinstance(encoder, AttendingEncoder):
            raise EncoderError(f"The encoder '{name}' does not expose attention: leave it out.")
        attention[name] = analyzed(look(encoder, chosen))
    scores: dict[str, dict[int, dict[str, float]]] = {name: {} for name in plan.poolings}
    found: dict[str, Any] = {}
    for run in train_runs(plan, data):
        scores[run.variant.name][run.seed] = measure(run, plan, data, asked)
        if run.variant.method == "pma" and not run.variant.even and chosen:
            attention[run.name] = _looks(run, plan, chosen)
        found = _told(wanted, scores, attention)
    plots.draw(found, plan.runs(), plan.out / "plots")
    return found


def _told(
    wanted: Experiment, scores: dict[str, dict[int, dict[str, float]]], attention: dict[str, Any]
) -> dict[str, Any]:
    measures = [HELD_OUT, *(f"{TEXT}: {folder.resolve().name}" for folder in wanted.texts)]
    measures += [BENCH, PER_FILE] if wanted.projects else []
    found = {
        "plan": wanted.plan.fixed(),
        "scores": report.compared({name: seeds for name, seeds in scores.items() if seeds}, measures),
        "attention": attention,
        STEP_SECONDS: _step_seconds(wanted.plan.runs()),
    }
    (wanted.plan.out / "report.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (wanted.plan.out / "report.md").write_text(report.markdown(found), encoding="utf-8")
    return found


def _looks(run: TrainingRun, plan: ExperimentPlan, chosen: Sequence[Sample]) -> dict[str, Any]:
    path = run.folder / LOOKS_NAME
    if not path.is_file():
        encoder = RunEncoder(run, plan.prepared)
        found = analyzed(look(encoder, chosen)) | {"heads": head_evenness(encoder, chosen)}
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        logger.info("%s: attention looked at", run.name)
    looks: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return looks


def _step_seconds(runs: Sequence[TrainingRun]) -> dict[str, float]:
    """By pooling: what equal steps are worth as equal time."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if run.finished and (found := run.step_seconds) is not None:
            seconds[run.variant.name].append(found)
    return {name: round(statistics.median(values), 3) for name, values in seconds.items()}
