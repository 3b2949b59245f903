"""Git's path patterns: single patterns, rules of an ignore file, path filters. Matching time is bounded."""

from __future__ import annotations

from retrieval.globs.filters import PathGlobs
from retrieval.globs.path_matcher import PathMatcher
from retrieval.globs.rules import MAX_RULES, MAX_WILDCARDS, Rule, RuleSet, decide, parse_rule
from retrieval.globs.test_files import is_test

__all__ = [
    "MAX_RULES",
    "MAX_WILDCARDS",
    "PathGlobs",
    "PathMatcher",
    "Rule",
    "RuleSet",
    "decide",
    "is_test",
    "parse_rule",
]
