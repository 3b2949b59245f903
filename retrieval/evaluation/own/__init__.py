"""A benchmark out of a user's own repository: its doc comments, and its history."""

from __future__ import annotations

from retrieval.evaluation.own.benchmark import COMMENTS, COMMITS, MIN_QUESTIONS, own_benchmarks
from retrieval.evaluation.own.choice import Choice, choose

__all__ = ["COMMENTS", "COMMITS", "MIN_QUESTIONS", "Choice", "choose", "own_benchmarks"]
