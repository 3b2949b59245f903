"""What a trained run is worth: held-out packages, prose, and the code-search benchmark. Each figure is kept once it is there."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.evaluation.benchmark import Project, evaluate_encoder
from retrieval.evaluation.pooling.run_encoder import RunEncoder
from retrieval.evaluation.pooling.runs import ExperimentPlan, Prepared, TrainingRun
from retrieval.evaluation.pooling.text_retrieval import TextTask
from retrieval.evaluation.pooling.variants import with_end_token
from retrieval.model.c2llm import C2LLM
from retrieval.training.forward import Validation, mean_reciprocal_rank
from retrieval.training.mixture import tokens
from retrieval.training.recipe import VALIDATION_PASSAGES, VALIDATION_QUERIES

SCORES_NAME = "scores.json"
HELD_OUT, TEXT, BENCH, PER_FILE = "held-out packages", "text", "bench", "bench, one a file"
DENSE = "dense"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Questions:
    """What runs are measured with, besides the held-out packages."""

    texts: dict[str, list[TextTask]]
    projects: Sequence[Project]
    cache: Path


def measure(run: TrainingRun, plan: ExperimentPlan, data: Prepared, asked: Questions) -> dict[str, Any]:
    """All scores of a run by the name of their measure: MRR, for the benchmark NDCG@10."""
    path = run.folder / SCORES_NAME
    scores: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    model = run.model()
    if HELD_OUT not in scores:
        validation = data.validation(run.variant, VALIDATION_QUERIES, VALIDATION_PASSAGES)
        scores[HELD_OUT] = mean_reciprocal_rank(model, validation)
        _keep(path, scores, run, HELD_OUT)
    for name, tasks in asked.texts.items():
        if (key := f"{TEXT}: {name}") not in scores:
            scores[key] = mean_reciprocal_rank(model, _text_validation(model, run, data, tasks))
            _keep(path, scores, run, key)
    missing = [project for project in asked.projects if project.name not in scores.get("projects", {})]
    if missing:
        _bench(run, plan, missing, asked.cache, scores)
        _keep(path, scores, run, BENCH)
    return scores | _overall(scores, [project.name for project in asked.projects])


def _text_validation(model: C2LLM, run: TrainingRun, data: Prepared, tasks: Sequence[TextTask]) -> Validation:
    config = model.config
    queries = tokens(data.tokenizer, [task.query for task in tasks], config.query_instruction, config.max_query_tokens)
    passages = tokens(
        data.tokenizer, [task.passage for task in tasks], config.document_instruction, config.max_passage_tokens
    )
    return Validation(with_end_token(queries, run.variant), with_end_token(passages, run.variant))


def _bench(
    run: TrainingRun, plan: ExperimentPlan, projects: Sequence[Project], cache: Path, scores: dict[str, Any]
) -> None:
    found = evaluate_encoder(projects, run.name, RunEncoder(run, plan.prepared), [DENSE], cache)
    by_project = scores.setdefault("projects", {})
    for project in projects:
        plain, per_file = (found[f"{run.name} {DENSE}{more}"].by_project[project.name] for more in ("", ", one a file"))
        by_project[project.name] = {BENCH: plain, PER_FILE: per_file}


def _overall(scores: dict[str, Any], names: Sequence[str]) -> dict[str, float]:
    if not names:
        return {}
    return {kind: sum(scores["projects"][name][kind] for name in names) / len(names) for kind in (BENCH, PER_FILE)}


def _keep(path: Path, scores: dict[str, Any], run: TrainingRun, name: str) -> None:
    path.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    logger.info("%s: %s measured", run.name, name)
